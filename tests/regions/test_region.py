import pytest

from tonnage.regions.region import endpoint, region_name


def test_endpoints() -> None:
    assert endpoint("https://s3.example.org/") == "https://s3.example.org"
    assert endpoint("http://127.0.0.1:8000/path") == "http://127.0.0.1:8000/path"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s3.example.org",
        "ftp://s3.example.org",
        "https://user:secret@s3.example.org",
        "https://s3.example.org\nevil",
        "https://s3 .example.org",
        "https://s3.example.org?x=1",
        "https://s3.example.org#x",
        "https://s3.example.org:0",
        "https://s3.example.org:port",
        "https://",
        "https://ex\u00e4mple.org",
    ],
)
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ValueError, match="is not an endpoint"):
        endpoint(text)


def test_names_can_stand_in_host_names() -> None:
    assert region_name("eu-central-2") == "eu-central-2"
    for wrong in ("", "EU", "eu_1", "-eu", "eu-", "e" * 64, "eu\n"):
        with pytest.raises(ValueError, match="is not a region name"):
            region_name(wrong)
