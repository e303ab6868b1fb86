"""Every panel on the other screens, on a phone (English, dark) with each of its uses, on a tablet; nothing fails,
nothing runs out of the screen, nothing breaks the rules of accessibility.
"""

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.web.visits import PHONE, TABLET, Visit, visit_uses

# What sticks out of the screen to the right, where the page does not clip or scroll it.
RUN_OUT = """() => {
  const clipped = element => {
    for (let box = element.parentElement; box; box = box.parentElement) {
      if (getComputedStyle(box).overflowX !== 'visible') return true;
    }
    return false;
  };
  return [...document.querySelectorAll('#app *')]
    .filter(element => element.offsetParent && element.getBoundingClientRect().right > innerWidth + 1)
    .filter(element => !clipped(element))
    .map(element => element.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize(
    ("size", "name", "fragment", "most"),
    [(PHONE, "phone", "#lang=en&scheme=dark", None), (TABLET, "tablet", "#lang=vi&scheme=light", 1)],
    ids=["phone", "tablet"],
)
def test_every_use_of_every_panel(
    browser: Browser, server_url: str, size: ViewportSize, name: str, fragment: str, most: int | None
) -> None:
    context = browser.new_context(viewport=size, locale="vi-VN", reduced_motion="reduce")
    visit = Visit(context.new_page(), server_url)
    visit.open(fragment)
    seen = []
    for use in visit_uses(visit.page, most):
        seen.append(use)
        visit.save(f"{name}-{use}")
        assert visit.page.locator(".panel .message-error:visible").all_inner_texts() == [], use
        assert visit.page.evaluate(RUN_OUT) == [], use
        # The journeys check the large screen in light colours and Vietnamese; what is other than that is checked here.
        if size is PHONE:
            visit.check_axe()
    assert len(seen) >= (9 if most else 30)
    assert visit.complaints == []
    context.close()
