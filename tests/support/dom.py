"""What a real browser made of a page into which somebody wrote markup."""

from typing import Final

from playwright.async_api import Page

HOSTILE: Final = (
    "\"'></textarea><b id=pwned></b><img src=x onerror=window.pwned=1>"
    "<script>window.pwned=1</script>"
)
"""Ends an attribute and an element, brings elements of its own, and would run in three ways."""

_ODD: Final = """() => {
    const odd = window.pwned ? ["something ran"] : [];
    for (const element of document.querySelectorAll("*")) {
        const name = element.localName;
        if (element.matches("#pwned, img, svg, iframe, object, embed")) {
            odd.push(name);
        }
        if (name === "script" && !element.src.startsWith(location.origin + "/")) {
            odd.push("a script of somebody else");
        }
        // Not element.attributes: a field of that name hides it.
        for (const attribute of element.getAttributeNames()) {
            const value = element.getAttribute(attribute);
            const leads = /^(href|src|action|formaction|srcdoc)$/.test(attribute);
            if (attribute.startsWith("on") || attribute === "style") {
                odd.push(attribute);
            } else if (leads && !/^https?:$/.test(new URL(value, location).protocol)) {
                odd.push(value);
            }
        }
    }
    return odd;
}"""


async def oddities(page: Page) -> list[str]:
    """Return what is on a page and never should be: [] when all text stayed text."""
    found: list[str] = await page.evaluate(_ODD)
    return found
