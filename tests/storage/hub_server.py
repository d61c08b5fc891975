"""A hub on 127.0.0.1, of models, in memory: what huggingface_hub asks for when it creates, pushes and downloads."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

WRITER, READER = "hf_writer", "hf_reader"


@dataclass
class Repository:
    """Commits by their hash, each all of its files; branches name commits."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, files: dict[str, bytes]) -> str:
        name = hashlib.sha1(repr((branch, len(self.commits), sorted(files.items()))).encode()).hexdigest()
        self.commits[name], self.branches[branch] = files, name
        return name

    def resolve(self, revision: str) -> str | None:
        name = self.branches.get(revision, revision)
        return name if name in self.commits else None


class Hub(ThreadingHTTPServer):
    """The server; ``url`` is its address. ``broken``: patterns of requests ("POST */commit/*") that answer 500."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.broken: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Hub:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int = 200, body: object = b"", **headers: object) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": len(data), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def missing(self, what: str) -> None:
        self.answer(
            404, {"error": f"{what} not found"}, X_Error_Code=f"{what}NotFound", X_Error_Message=f"{what} not found"
        )

    def handle_any(self) -> None:
        path = unquote(urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append(f"{self.command} {path}")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if any(fnmatch(self.server.requests[-1], pattern) for pattern in self.server.broken):
            return self.answer(500, {"error": "broken"})
        if token and token not in (WRITER, READER):
            return self.answer(
                401, {"error": "Invalid credentials"}, X_Error_Message="Invalid credentials in Authorization header"
            )
        if path.startswith("/blobs/"):  # the storage behind the hub asks for no token
            self.server.blobs[path.removeprefix("/blobs/")] = body
            return self.answer()
        writes = self.command in ("POST", "DELETE", "PUT")
        if writes and token != WRITER:
            return self.answer(
                403 if token else 401, {"error": "no permission to write"}, X_Error_Message="no permission to write"
            )
        if path == "/api/validate-yaml":
            return self.answer(body={"errors": [], "warnings": []})
        if path == "/api/whoami-v2":
            return self.answer(body={"name": "me", "type": "user"})
        if path in ("/api/repos/create", "/api/repos/delete"):
            return self.manage(path, json.loads(body))
        return self.serve(path, body, token)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def manage(self, path: str, asked: dict) -> None:
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        if path.endswith("delete"):
            self.server.repositories.pop(name, None)
            return self.answer()
        if name in self.server.repositories:
            return self.answer(
                409, {"error": "You already created this model repo", "url": f"{self.server.url}/{name}"}
            )
        repository = Repository(private=asked.get("visibility") == "private" or bool(asked.get("private")))
        repository.commit("main", {".gitattributes": b"*.safetensors filter=lfs\n"})
        self.server.repositories[name] = repository
        return self.answer(body={"url": f"{self.server.url}/{name}", "name": name})

    def serve(self, path: str, body: bytes, token: str) -> None:
        parts = path.removeprefix("/api/models").strip("/").split("/")
        name = "/".join(parts[:2]).removesuffix(".git")
        repository = self.server.repositories.get(name)
        if repository is None or (repository.private and not token):
            return self.missing("Repo")
        verb, rest = (parts[2], "/".join(parts[3:])) if len(parts) > 2 else ("revision", "main")
        if verb == "info":
            return self.batch(json.loads(body))
        if verb == "branch":
            repository.branches.setdefault(rest, repository.branches["main"])
            return self.answer()
        if verb == "preupload":
            files = [
                {"path": file["path"], "uploadMode": self.mode(file["path"]), "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            return self.answer(body={"files": files})
        revision, _, file = rest.partition("/")
        commit = repository.resolve(revision)
        if commit is None:
            return self.missing("Revision")
        if verb == "commit":
            return self.commit(name, repository, revision, body)
        if verb == "resolve":
            return self.send_file(commit, repository.commits[commit], file)
        if verb == "tree":
            return self.answer(body=[self.describe(path, data) for path, data in repository.commits[commit].items()])
        siblings = [{"rfilename": path} for path in repository.commits[commit]]
        return self.answer(
            body={
                "id": name,
                "modelId": name,
                "sha": commit,
                "private": repository.private,
                "tags": [],
                "siblings": siblings,
            }
        )

    def mode(self, path: str) -> str:
        return "lfs" if path.endswith(".safetensors") else "regular"

    def describe(self, path: str, data: bytes) -> dict:
        entry = {
            "type": "file",
            "path": path,
            "size": len(data),
            "oid": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(),
        }
        if self.mode(path) == "lfs":
            entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
        return entry

    def batch(self, asked: dict) -> None:
        objects = [
            {**each, "actions": {"upload": {"href": f"{self.server.url}/blobs/{each['oid']}"}}}
            for each in asked["objects"]
        ]
        self.answer(body={"transfer": "basic", "objects": objects})

    def commit(self, name: str, repository: Repository, branch: str, body: bytes) -> None:
        files = dict(repository.commits[repository.branches[branch]])
        for line in filter(None, body.split(b"\n")):
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.server.blobs[value["oid"]]
            elif entry["key"] == "deletedFile":
                del files[value["path"]]
        commit = repository.commit(branch, files)
        self.answer(
            body={
                "success": True,
                "commitOid": commit,
                "commitUrl": f"{self.server.url}/{name}/commit/{commit}",
                "hookOutput": "",
            }
        )

    def send_file(self, commit: str, files: dict[str, bytes], path: str) -> None:
        if path not in files:
            return self.missing("Entry")
        digest = hashlib.sha256(files[path]).hexdigest()
        self.answer(
            200,
            files[path],
            ETag=f'"{digest}"',
            X_Repo_Commit=commit,
            X_Linked_Size=len(files[path]),
            X_Linked_Etag=f'"{digest}"',
        )
