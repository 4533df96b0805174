"""The loop of learning as a reviewer walks it: a bad answer, one key, freeze, train, promote."""

from __future__ import annotations

import pytest

from chat import questions
from tests.browser.conftest import Visiting
from tests.browser.site import NARROW, Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

# A question with a correction, as a visitor left it, and what the worker makes of it.
ASKED = """
from django.utils.timezone import now
from chat.models import Conversation, Feedback, Interaction
from chat.watching import run
row = Interaction.objects.create(conversation=Conversation.objects.create(),
    query="why did the zebra coin <b>jump</b>", category="MARKET_DATA", confidence=0.6,
    route="classifier", answer="It rose.", latency_ms=9)
Feedback.objects.create(interaction=row, type="correction", category="NEWS", text="I asked why")
run(now())
"""
PAGES = (
    "/admin/chat/reviewitem/next/",
    "/admin/chat/reviewitem/",
    "/admin/chat/datasetversion/",
    "/admin/chat/modelversion/",
    "/admin/chat/modelversion/analytics/",
    "/admin/chat/experiment/add/",
)


def test_from_a_bad_answer_to_a_promoted_model(fresh: Site, look: Visiting) -> None:
    fresh.manage("shell", "-c", ASKED)
    visit = look(fresh)
    page = visit.page
    visit.sign_in()
    for path in PAGES:
        visit.go(path)
        assert visit.violations() == []
    visit.go(PAGES[0])
    assert page.get_by_text("why did the zebra coin <b>jump</b>").is_visible()
    assert page.get_by_role("button", name="Accept NEWS").is_visible()
    page.keyboard.press("a")
    page.get_by_text("Nothing is to be reviewed").wait_for()

    visit.go("/admin/chat/datasetversion/")
    page.get_by_role("button", name="Freeze what there is now").click()
    page.get_by_text(f"dataset 1: {len(questions.train()) + 1:,} questions.").wait_for()
    page.get_by_role("button", name="Train on dataset 1").click()
    page.get_by_text("queued", exact=True).wait_for()
    # What a worker does with it.
    fresh.manage("shell", "-c", "from chat.tasks import train_models; train_models()")
    page.reload()
    page.get_by_text("passed", exact=True).wait_for()
    assert page.get_by_text("macro-F1").is_visible()

    fresh.manage("trainchat", "--seed", "1")  # another, so that there is somebody to promote
    visit.go("/admin/chat/modelversion/")
    page.locator("tr", has_text="candidate").get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option("promote")
    page.get_by_role("button", name="Go").click()
    page.locator("tr", has_text="retired").wait_for()
    page.get_by_role("button", name="Roll back").click()
    page.get_by_text("The champion before answers again.").wait_for()


def test_on_a_phone_nothing_is_cut_off(fresh: Site, look: Visiting) -> None:
    visit = look(fresh, NARROW)
    visit.sign_in()
    for path in PAGES:
        visit.go(path)
        assert visit.overflow() <= 0, path
