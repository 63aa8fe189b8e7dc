"""The hand-over in a real browser: it leads to what it tells of, and printed it has no buttons."""

from tests.support import wait_until


def test_it_leads_to_the_pocket_and_prints_without_what_a_screen_needs(page, plant) -> None:
    plant.work_worn()
    page.sign_in("ana")
    page.find('nav a[href="/handover"]').click()
    wait_until(lambda: page.shows("#open"), what="the hand-over")
    assert "inserts to change" in page.text("#open")
    assert page.find("#print").size["height"] >= 60  # for gloves
    page.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not any(page.shows(each) for each in (".top", "#print", ".filters", ".foot"))
        assert page.shows("table")
    finally:
        page.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    page.find("table a").click()
    wait_until(lambda: "/pocket" in page.chromium.current_url and page.shows(".life"), what="the pocket")
    assert page.complaints() == []
