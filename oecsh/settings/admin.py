"""How the Django admin looks: the portal's colours."""

from __future__ import annotations

from django.templatetags.static import static

# Unfold's scales from light to dark; the middle of `primary` is the portal's accent (static_src/css/app.css).
PRIMARY = {
    "50": "oklch(97% .015 266)",
    "100": "oklch(94% .03 266)",
    "200": "oklch(88% .06 266)",
    "300": "oklch(81% .09 267)",
    "400": "oklch(74% .125 268)",
    "500": "oklch(60% .16 267)",
    "600": "oklch(49% .17 266)",
    "700": "oklch(43% .16 266)",
    "800": "oklch(37% .13 266)",
    "900": "oklch(31% .1 266)",
    "950": "oklch(24% .07 266)",
}
BASE = {
    "50": "oklch(97.7% .003 264)",
    "100": "oklch(95.5% .004 264)",
    "200": "oklch(91.8% .006 264)",
    "300": "oklch(86% .008 264)",
    "400": "oklch(70% .012 264)",
    "500": "oklch(55% .015 264)",
    "600": "oklch(45% .016 264)",
    "700": "oklch(36% .016 264)",
    "800": "oklch(26% .013 264)",
    "900": "oklch(20% .012 264)",
    "950": "oklch(17% .011 264)",
}


UNFOLD = {
    "SITE_TITLE": "OEC.SH administration",
    "SITE_HEADER": "OEC.SH",
    "SITE_SUBHEADER": "Platform administration",
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("images/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("images/mark.svg")}],
    "SHOW_HISTORY": True,
    "BORDER_RADIUS": "6px",
    "COLORS": {"primary": PRIMARY, "base": BASE},
    "SIDEBAR": {
        "show_search": True,
        "show_all_applications": True,
        "navigation": "apps.portal.administration.sections",
    },
}
