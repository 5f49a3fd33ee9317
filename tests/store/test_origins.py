from tests.support.counting import CountingStore
from tests.support.determinism import NOW
from vestibule.records import Project, RedirectUrl
from vestibule.store import origins
from vestibule.store.interface import Store


async def test_urls_of_every_project_are_found_by_how_they_begin(store: Store) -> None:
    urls = {
        "first": ["https://app.example.com/a", "HTTPS://App.Example.com/b", "https://app.example"],
        "second": ["https://app.example.com.evil.test/", "https://app.example.com?a={}"],
    }
    async with store.write() as tx:
        for name, registered in urls.items():
            project = Project(project_id=name, environment="test", name=name, created_at=NOW)
            await tx.projects.insert(project)
            for url in registered:
                await tx.redirect_urls.insert(
                    RedirectUrl(
                        project_id=name,
                        url=url,
                        login=True,
                        signup=False,
                        default_login=False,
                        default_signup=False,
                        created_at=NOW,
                    )
                )
    async with store.read() as tx:
        found = await origins.redirect_urls(tx, "https://app.example.com")
        assert sorted(each.url for each in found) == [
            "HTTPS://App.Example.com/b",
            "https://app.example.com.evil.test/",
            "https://app.example.com/a",
            "https://app.example.com?a={}",
        ]
        assert {each.project_id for each in found} == {"first", "second"}
        for pattern in ("https://app%", "https://app_example.com", "https://other.example"):
            assert await origins.redirect_urls(tx, pattern) == []


async def test_they_are_found_by_an_index(store: Store, database_url: str) -> None:
    counting = CountingStore(store)
    async with counting.read() as tx:
        await origins.redirect_urls(tx, "https://app.example.com")
    (sql,) = counting.statements
    async with store.write() as tx:
        if database_url.startswith("sqlite"):
            explain = "EXPLAIN QUERY PLAN"
        else:
            # Without rows PostgreSQL reads the whole table, whatever there is.
            await tx.executor.execute("SET LOCAL enable_seqscan = off", ())
            explain = "EXPLAIN"
        plan = await tx.executor.fetch(f"{explain} {sql}", ("a", "b"))
    assert "redirect_urls_by_beginning" in str([tuple(row) for row in plan])
