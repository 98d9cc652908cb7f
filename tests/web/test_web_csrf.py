"""Forms of our own pages, and of others."""

from tonnage.web import csrf


def test_only_the_holder_of_the_cookie_has_the_token() -> None:
    token = csrf.token("secret")
    assert csrf.is_ours("secret", token, {})
    assert not csrf.is_ours("another", token, {})
    assert not csrf.is_ours("secret", "", {})
    assert not csrf.is_ours("secret", token + "ä\ud800", {})
    assert "secret" not in token


def test_what_a_browser_says_of_another_site_outweighs_the_token() -> None:
    token = csrf.token("secret")
    for site in ("cross-site", "same-site", "anything"):
        assert not csrf.is_ours("secret", token, {"sec-fetch-site": site})
    for site in ("same-origin", "none"):
        assert csrf.is_ours("secret", token, {"sec-fetch-site": site})
