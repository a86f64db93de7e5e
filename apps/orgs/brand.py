"""White label: what an organization's one colour becomes on light and on dark pages, readable on both."""

from __future__ import annotations

from dataclasses import dataclass

# What text must have against its ground (WCAG 2.2, 1.4.3).
CONTRAST = 4.5
# The grounds of the pages (static_src/css/app.css): the darker one of the light theme, the lighter one of the dark.
LIGHT_GROUND = (244, 245, 247)
DARK_GROUND = (45, 48, 54)
WHITE, BLACK = (255, 255, 255), (16, 18, 22)
# How much of the accent is mixed into the ground of what is chosen or marked (the rail, rows, tabs).
TINT = 0.14
_STEPS = 50

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Accent:
    """A colour for links, marks and buttons on one ground, and the colour of the words on such a button."""

    colour: str
    content: str


def accents(colour: str) -> tuple[Accent, Accent]:
    """What `#rrggbb` becomes in the light and in the dark theme: the colour itself where it can be read, or else the
    nearest shade that can. Raises ValueError for what is no colour."""
    wanted = _parsed(colour)
    return _accent(wanted, LIGHT_GROUND, BLACK), _accent(wanted, DARK_GROUND, WHITE)


def style_sheet(colour: str) -> str:
    """The style sheet that puts the colour in the place of the portal's own."""
    light, dark = (
        f"--color-primary:{accent.colour};--color-primary-content:{accent.content};"
        f"--color-accent:{accent.colour};--color-accent-content:{accent.content}"
        for accent in accents(colour)
    )
    return (
        f':root,[data-theme="light"]{{{light}}}\n'
        f'@media (prefers-color-scheme:dark){{:root:not([data-theme="light"]){{{dark}}}}}\n'
        f'[data-theme="dark"]{{{dark}}}\n'
    )


def contrast(first: Colour, second: Colour) -> float:
    """The ratio of two colours' luminances, 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _accent(wanted: Colour, ground: Colour, toward: Colour) -> Accent:
    for step in range(_STEPS + 1):
        mixed = _mixed(wanted, toward, step / _STEPS)
        content = max((WHITE, BLACK), key=lambda words: contrast(words, mixed))
        tinted = _mixed(ground, mixed, TINT)
        if min(contrast(mixed, ground), contrast(mixed, tinted), contrast(mixed, content)) >= CONTRAST:
            break
    return Accent(_written(mixed), _written(content))


def _mixed(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(one + (two - one) * share) for one, two in zip(colour, other, strict=True))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    linear = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (one / 255 for one in colour)
    )
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _parsed(colour: str) -> Colour:
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError("A colour is # and six hexadecimal digits.")
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _written(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
