"""Of several choices exactly one holds, and it looks like it."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tui.widgets.choices import Choice, Choices


class Asking(App[None]):
    def compose(self) -> ComposeResult:
        yield Choices(Choice("one", value=True), Choice("two"), Choice("three"))


async def test_the_arrow_chooses_the_next_one_and_lets_go_of_the_former() -> None:
    app = Asking()
    async with app.run_test(size=(40, 10)) as pilot:
        app.query_one(Choices).focus()
        await pilot.pause()
        before = [choice.value for choice in app.query(Choice)]
        await pilot.press("down")
        await pilot.pause()

        assert before == [True, False, False]
        assert [choice.value for choice in app.query(Choice)] == [False, True, False]
        assert ["●" in str(choice.render()) for choice in app.query(Choice)] == [False, True, False]
