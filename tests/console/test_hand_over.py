"""The hand-over in a real browser: it leads to what it tells of, and printed it has no buttons."""


def test_it_leads_to_the_pocket_and_prints_without_what_a_screen_needs(page, plant) -> None:
    plant.work_worn()
    page.sign_in("ana")
    page.follow('nav a[href="/handover"]')
    assert "inserts to change" in page.text("#open")
    assert page.heights("#print")[0] >= 60  # for gloves
    page.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not any(page.shows(each) for each in (".top", "#print", ".filters", ".foot"))
        assert page.shows("table")
    finally:
        page.chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    page.follow("table a")
    assert "/pocket" in page.chromium.current_url
    assert page.shows(".life")
    assert page.complaints() == []
