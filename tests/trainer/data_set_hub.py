"""A data set hub on this machine, in the protocol of the real one: what `datasets` asks for, and nothing else."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "5" * 40


@contextmanager
def hub(name: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve one data set, `owner/name`, with its files; gives the address for HF_ENDPOINT."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path = self.path.partition("?")[0]
            if path.startswith(f"/api/datasets/{name}/tree/{COMMIT}"):
                self.answer_tree(path.partition(COMMIT)[2].strip("/"))
            elif path.startswith(f"/api/datasets/{name}"):
                siblings = [{"rfilename": file} for file in files]
                self.answer_json({"id": name, "sha": COMMIT, "private": False, "gated": False, "siblings": siblings})
            elif path.startswith(f"/datasets/{name}/resolve/") and (file := path.split("/", 6)[6]) in files:
                self.answer(200, files[file], ETag=f'"{oid(file)}"', **{"X-Repo-Commit": COMMIT})
            elif path.startswith(f"/datasets/{name}/"):
                self.answer(404, b"{}", **{"X-Error-Code": "EntryNotFound"})
            else:
                self.answer(404, b"{}", **{"X-Error-Code": "RepoNotFound"})

        do_HEAD = do_GET  # noqa: N815

        def answer_tree(self, under):
            inside = [file for file in files if file.startswith(under)]
            if not inside:
                self.answer(404, b"{}", **{"X-Error-Code": "EntryNotFound"})
                return
            here = [file for file in inside if "/" not in file.removeprefix(under).strip("/")]
            folders = {file.rpartition("/")[0] for file in inside} - {under}
            entries = [{"type": "file", "path": file, "size": len(files[file]), "oid": oid(file)} for file in here]
            self.answer_json(entries + [{"type": "directory", "path": f, "size": 0, "oid": COMMIT} for f in folders])

        def answer_json(self, value):
            self.answer(200, json.dumps(value).encode())

        def answer(self, code, body, **headers):
            self.send_response(code)
            for key, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    def oid(file):
        return hashlib.sha1(files[file]).hexdigest()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
