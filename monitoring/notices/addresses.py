"""
Addresses of channels: which there may be, and what may stand in them.

A list of what is allowed, not of what is forbidden: all of these talk to a host over HTTP or mail
and to nothing on this machine. Apprise knows others, which touch the desktop (dbus, glib, gnome,
windows, macosx), the log (syslog, rsyslog), raw sockets (aprs, growl, irc, mqtt, smpp, xmpp), or
read files that an address names (fcm, vapid).
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import ValidationError

# Sent by ourselves, through `providers.transport`: see `webhooks`.
WEBHOOKS = {
    "http": "http",
    "https": "https",
    "json": "http",
    "jsons": "https",
    "form": "http",
    "forms": "https",
    "xml": "http",
    "xmls": "https",
}
# Sent by Apprise, in a process of its own: see `sender`.
APPRISE = frozenset(
    """
    46elks atalk azure bark barks bluesky brevo bsky bulksms bulkvs burstsms chanify clickatell
    clicksend d7sms dapnet dingtalk discord dot elks feishu flock freemobile gchat gotify gotifys
    guilded hassio hassios httpsms ifttt join kavenegar kumulos lametric lark line mailgun mailto
    mailtos mastodon mastodons matrix matrixs misskey misskeys mmost mmosts msg91 msgbird msteams
    napi nctalk nctalks ncloud nclouds nexmo notica noticas notifiarr notificationapi notifico ntfy
    ntfys o365 onesignal opsgenie pagerduty pagertree parsep parseps pbul pjet pjets plivo popcorn
    pover prowl psafer psafers push pushdeer pushdeers pushed pushme pushplus pushy qq resend
    revolt rocket rockets ryver schan sendgrid sendpulse ses seven sfr signal signals signl4 sinch
    slack smseagle smseagles smsmanager smsmgr smtp2go sns sparkpost spike splunk spugpush spush
    strmlabs synology synologys tgram threema toot toots twilio twist viber victorops voipms vonage
    webex wecombot whatsapp workflow workflows wxpusher wxteams zulip
    """.split()  # noqa: SIM905 (to be read)
)
# Parameters by which some of them read a file of this machine, or fetch what is attached.
FILES = frozenset(
    """
    attach attach-as attachas attachment attachments cert config file format_file key_file keyfile
    path_file pem pgp pgpkey privatekey subfile subscriber template template_path tokens
    """.split()  # noqa: SIM905 (to be read)
)
MOST = 1000  # characters


def check(address: str) -> str:
    """The scheme of an address that may be one of a channel; ValidationError, which quotes none."""
    if len(address) > MOST or not address.isprintable() or any(c.isspace() for c in address):
        raise ValidationError("An address is one word of plain characters.")
    scheme, found, rest = address.partition("://")
    scheme = scheme.lower()
    if not found or not rest:
        raise ValidationError("An address begins with its kind: slack://, mailtos://, https://.")
    if scheme not in APPRISE and scheme not in WEBHOOKS:
        raise ValidationError(
            "This kind of address is not allowed: it is unknown, or reaches into this machine."
        )
    _check_parts(address, scheme)
    return scheme


def _check_parts(address: str, scheme: str) -> None:
    if scheme in WEBHOOKS:
        try:
            parts = urlsplit(address)
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise ValidationError("The address cannot be read: look at host and port.") from None
        if not host:
            raise ValidationError("A webhook needs a host.")
    query = address.partition("?")[2]
    for name, _value in parse_qsl(query, keep_blank_values=True):
        if name.strip("+-: ").lower() in FILES and not name.startswith(("+", "-", ":")):
            raise ValidationError(
                f"The parameter {name[:30]!r} may name a file, which none may do."
            )
