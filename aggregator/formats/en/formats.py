"""See FORMAT_MODULE_PATH; the letters are those of Django's `date` filter."""

DATE_FORMAT = SHORT_DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i:s e"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "Y-m-d H:i:s e"
MONTH_DAY_FORMAT = "j F"
