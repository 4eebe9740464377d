"""A screen of several tables, one behind each tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.content import Content
from textual.widgets import ContentSwitcher, Tab, Tabs

from tui.screens.khien_screen import KhienScreen
from tui.widgets.virtual_table import VirtualTable


class TabbedScreen(KhienScreen):
    """Tabs that follow keys and clicks; TabbedContent follows the focus, too, and quick keys end wrong."""

    TABS: ClassVar[Sequence[str]] = ()
    """The ids of what the ContentSwitcher holds, in order."""

    def tab_bar(self, names: Sequence[str]) -> Tabs:
        """Return the line of tabs with these names."""
        return Tabs(
            *(Tab(Content(name), id=f"tab-{tab}") for tab, name in zip(self.TABS, names, strict=True))
        )

    def on_mount(self) -> None:
        """Keep the focus in the tables."""
        super().on_mount()
        self.query_one(Tabs).can_focus = False
        self.set_focus(self.query_one(f"#{self.TABS[0]}").query_one(VirtualTable))

    def name_tab(self, tab: str, words: str) -> None:
        """Change what a tab is called."""
        self.query_one(f"#tab-{tab}", Tab).label = Content(words)

    def action_tab(self, step: int) -> None:
        """Go to another tab, and into its table."""
        place = self.TABS.index(self.query_one(ContentSwitcher).current or self.TABS[0])
        self._open_tab(self.TABS[(place + step) % len(self.TABS)])

    def _open_tab(self, tab: str) -> None:
        self.query_one(ContentSwitcher).current = tab
        self.query_one(Tabs).active = f"tab-{tab}"
        if self.is_current:
            self.query_one(f"#{tab}").query_one(VirtualTable).focus()

    @on(Tabs.TabActivated)
    def tab_clicked(self, event: Tabs.TabActivated) -> None:
        """Follow a click on a tab."""
        tab = (event.tab.id or "").removeprefix("tab-")
        if event.tab.id == self.query_one(Tabs).active and tab != self.query_one(ContentSwitcher).current:
            self._open_tab(tab)
