"""Every address of the project."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from aggregator import configpage, library, matrixpage, pages
from aggregator.api.urls import urlpatterns as api
from providers.admin import faults

admin.site.site_header = admin.site.site_title = "Aggregator"
admin.site.index_title = "Catalogue and clients"
admin.site.enable_nav_sidebar = True
admin.site.empty_value_display = "–"

handler400, handler500 = pages.malformed, pages.broken

schema = SpectacularAPIView.as_view()
# The docs read the schema beside them: under /api it may need a key, and counts as a question.
docs = SpectacularSwaggerSplitView.as_view(url_name="docs-schema", url_self="/docs")

urlpatterns: list[URLPattern | URLResolver | Any] = [
    path("", pages.home, name="home"),
    re_path("^explore/?$", pages.explore, name="explore"),
    re_path("^resources/?$", library.page, name="library"),
    path("favicon.ico", pages.favicon),
    re_path("^api/schema/?$", schema, name="schema"),
    re_path("^docs/?$", docs, name="docs"),
    path("docs/schema", schema, name="docs-schema"),
    path("admin/sandbox/", admin.site.admin_view(faults.page), name="faults"),
    path("admin/configuration/", admin.site.admin_view(configpage.page), name="configuration"),
    path("admin/matrix/", admin.site.admin_view(matrixpage.page), name="matrix"),
    path("admin/", admin.site.urls),
    path("admin", pages.to_admin),
    re_path(r"^", include("chat.openai.urls")),
    re_path(r"^", include("monitoring.urls")),
    re_path(r"^", include("monitoring.api.urls")),
    re_path(r"^", include("chat.api.learning_urls")),
    re_path(r"^", include("chat.urls")),
    re_path(r"^", include("chat.api.urls")),
    re_path(r"^", include(api)),
]
