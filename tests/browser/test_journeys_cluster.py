"""A storage account from the form that creates it to the first object in it, on a real gateway."""

import re
import subprocess
import sys
from collections.abc import Generator
from os import environ

import pytest
from playwright.sync_api import Page, expect

from testbed.gateway import Gateway
from tests.browser.conftest import Demo, Enter, Sample, serving
from tests.browser.journeys import expect_notice, wait_until
from tests.browser.pictures import examine
from tests.storage.customer import Customer
from tonnage.storage.backend import AccessKey

pytestmark = [pytest.mark.browser, pytest.mark.ceph]

REGION = "on-ceph"


@pytest.fixture(scope="module")
def demo(sample: Sample, tmp_path_factory: pytest.TempPathFactory, gateway: Gateway) -> Generator[Demo]:
    """With a worker, and one more region, on the gateway."""
    with serving(sample, tmp_path_factory.mktemp("demo")) as running:
        urls = [part for name in ("s3", "iam", "sts", "ceph-admin") for part in (f"--{name}-url", gateway.address)]
        subprocess.run(
            [sys.executable, "-m", "tonnage", "region", "add", REGION, *urls],
            env={**environ, **running.settings},
            input=f"{gateway.access_key}\n{gateway.secret_key}\n",
            text=True,
            check=True,
            capture_output=True,
        )
        yield running


def is_up_to_date(page: Page) -> bool:
    """Whether the account's page says that its cluster is up to date."""
    page.reload()
    return "Up to date" in page.get_by_role("definition").all_inner_texts()


def test_from_a_form_to_an_object(signed_in: Enter, gateway: Gateway) -> None:
    page = signed_in("partner").page
    page.get_by_role("link", name="Create storage account").click()
    page.get_by_label("Company name").fill("Glacier Survey")
    page.get_by_label("Contact e-mail").fill("data@glacier-survey.example.org")
    page.get_by_label("Password", exact=True).fill("Blue-ice-4-all")
    page.get_by_label("Allocation", exact=True).fill("100")
    page.get_by_label("Unit").select_option("GB")
    page.get_by_label("Region", exact=True).select_option(REGION)
    page.get_by_role("button", name="Create storage account").click()
    expect_notice(page, "Storage account created")
    wait_until(lambda: is_up_to_date(page), "the cluster has been told of the account")

    page.get_by_role("link", name="Access keys").click()
    expect(page.get_by_text("No access keys yet")).to_be_visible()
    page.get_by_role("link", name="Create access key").click()
    assert examine(page, "partner-accounts-one-access-keys-new") == []
    page.get_by_label(re.compile("^Description")).fill("Camera on the ridge")
    page.get_by_role("button", name="Create access key").click()
    expect(page.get_by_label("S3 endpoint")).to_have_text(gateway.address)
    key = AccessKey(
        page.get_by_label("Access key", exact=True).inner_text(), page.get_by_label("Secret key").inner_text()
    )
    page.get_by_role("link", name="I have copied it").click()
    row = page.get_by_role("row").filter(has_text=key.access_key)
    expect(row.get_by_text("Camera on the ridge")).to_be_visible()
    expect(page.get_by_role("main")).not_to_contain_text(key.secret_key)

    with Customer(gateway, key) as customer:
        customer.s3.create_bucket(Bucket="ridge")
        customer.s3.put_object(Bucket="ridge", Key="dawn.jpg", Body=b"blue")
        assert customer.s3.get_object(Bucket="ridge", Key="dawn.jpg")["Body"].read() == b"blue"

        row.get_by_role("link", name=f"Delete {key.access_key}").click()
        assert examine(page, "partner-accounts-one-access-keys-one-delete") == []
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("No access keys yet")).to_be_visible()
        assert customer.attempt("get_object", Bucket="ridge", Key="dawn.jpg") == "InvalidAccessKeyId"
