"""The colours: a calm dark theme and a light one."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="khien-dark",
    dark=True,
    primary="#7aa7c7",
    secondary="#8f9bb3",
    accent="#7fc1c9",
    foreground="#d7dce4",
    background="#14181f",
    surface="#1a2029",
    panel="#222a35",
    success="#8fbf7f",
    warning="#d9b26a",
    error="#e07a72",
    variables={
        "border": "#3a4656",
        "border-blurred": "#2c3644",
        "footer-background": "#1a2029",
        "footer-key-foreground": "#7fc1c9",
        "block-cursor-background": "#2c4356",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#262f3b",
        "text-muted": "#8a94a3",
        "text-success": "#9ccb8b",
        "text-warning": "#e0bd7a",
        "text-error": "#f08e86",
        "text-accent": "#8fd0d8",
        "scrollbar": "#38475a",
        "scrollbar-background": "#171c24",
        "scrollbar-hover": "#4a5d75",
        "scrollbar-active": "#5b728f",
        "input-selection-background": "#7fc1c9 35%",
    },
)
LIGHT = Theme(
    name="khien-light",
    dark=False,
    primary="#1f5f86",
    secondary="#5a6675",
    accent="#0f6f7a",
    foreground="#1c232c",
    background="#f6f7f9",
    surface="#eceff3",
    panel="#e1e6ec",
    success="#2f7d32",
    warning="#8a5a00",
    error="#b3261e",
    variables={
        "border": "#b5bfca",
        "block-cursor-background": "#cfe0ec",
        "block-cursor-foreground": "#1c232c",
        "block-cursor-blurred-background": "#dde4eb",
        "text-muted": "#5a6675",
        "text-success": "#24682a",
        "text-warning": "#7a4f00",
        "text-error": "#a01f18",
        "text-accent": "#0b5f69",
    },
)
THEMES = (DARK, LIGHT)
