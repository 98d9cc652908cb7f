"""Forms of our own pages, and of other sites."""

from tonnage.web import csrf


def test_only_the_holder_of_the_cookie_has_the_token() -> None:
    token = csrf.token("secret")
    assert csrf.is_ours("secret", token, {})
    assert not csrf.is_ours("another", token, {})
    assert not csrf.is_ours("secret", "", {})
    assert not csrf.is_ours("secret", token + "ä\ud800", {})
    assert "secret" not in token


def test_the_fetch_metadata_take_precedence_over_the_token() -> None:
    token = csrf.token("secret")
    for site in ("cross-site", "same-site", "anything"):
        assert not csrf.is_ours("secret", token, {"sec-fetch-site": site})
    for site in ("same-origin", "none"):
        assert csrf.is_ours("secret", token, {"sec-fetch-site": site})


def test_no_two_tokens_are_alike() -> None:
    """A secret that is the same in every page could be guessed from the length of compressed pages."""
    tokens = [csrf.token("secret") for _ in range(50)]
    assert len({token[start : start + 6] for token in tokens for start in range(0, 80, 6)}) > 650
    assert all(csrf.is_ours("secret", token, {}) for token in tokens)


def test_malformed_tokens_are_refused() -> None:
    token = csrf.token("secret")
    for given in ("=", "A", "AAAA", token[:-2], token + "AA", "A" * 86, "\0", "\u0661" * 86):
        assert not csrf.is_ours("secret", given, {})
