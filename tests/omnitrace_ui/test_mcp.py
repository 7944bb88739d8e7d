"""The endpoints as tools for agents: `pip install -r omnitrace_ui/requirements-mcp.txt`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from core import trace
from core.errors import MissingExtraError
from core.prompt import Prompt
from omnitrace_ui.actions.engine import Engine
from omnitrace_ui.actions.explore import Site
from omnitrace_ui.actions.library import Library
from omnitrace_ui.layout import build_app
from omnitrace_ui.server import Serving, launch
from omnitrace_ui.session import Store
from tests.core.tiny import tiny_model


@pytest.mark.skipif(find_spec("mcp") is not None, reason="the package is here")
def test_without_the_package_the_remedy_is_told(tmp_path: Path):
    store = Store(tmp_path)
    app = build_app(Site(Engine({"tiny": tiny_model}), store))
    with pytest.raises(MissingExtraError, match=r"requirements-mcp\.txt"):
        launch(app, Serving(mcp=True), store)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path / "root")
    (tmp_path / "root").mkdir()
    prompt = Prompt.of("What?", ["A dog barks."])
    trace(tiny_model(), prompt, max_new_tokens=8).save(tmp_path / "dog.omnitrace")
    library = Library.read(tmp_path / "none", tmp_path)
    store = Store(tmp_path / "root")
    app = build_app(Site(Engine({"tiny": tiny_model}), store, library))
    yield launch(app, Serving(mcp=True), store)
    app.close()
    os.environ.pop("GRADIO_TEMP_DIR")
    if before is not None:
        os.environ["GRADIO_TEMP_DIR"] = before


@pytest.mark.extra
def test_agents_find_and_use_both_tools_and_strangers_are_refused(url: str):
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def ask() -> tuple[list, str, str]:
        async with (
            streamable_http_client(f"{url}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            names = {tool.name.rpartition("_")[2]: tool.name for tool in tools}
            said = await session.call_tool(names["explain"], {"trace": "dog"})
            asked = {"instruction": "What?", "parts": [{"text": "A dog."}], "max_new_tokens": 4}
            traced = await session.call_tool(names["trace"], asked)
            return tools, said.content[0].text, " ".join(c.text for c in traced.content)

    tools, explained, traced = asyncio.run(ask())
    assert len(tools) == 2
    by_name = {tool.name.rpartition("_")[2]: tool for tool in tools}
    assert "trace which part" in by_name["trace"].description
    arguments = by_name["explain"].inputSchema["properties"]
    assert "0 to 1" in arguments["coverage"]["description"]
    assert "A dog barks." in explained and json.dumps("spans") in explained.replace("'", '"')
    assert "p0.0" in traced
    evil = {"Origin": "http://evil.com"}
    assert httpx.post(f"{url}gradio_api/mcp/", headers=evil, json={}).status_code == 403
