#!/usr/bin/env python3
"""git's own http-backend behind a small HTTP(S) server, for tests.

git_http_server.py ROOT [--user U --password P] [--bearer T] [--cert FILE --key FILE] [--client-ca FILE]
Prints "port N" when it listens on 127.0.0.1; ends with its standard input. /redirect/X answers with a redirect to /X, /plain/X with the file X of
ROOT, /silent… never. While the file --cut names exists, answers that carry a pack end in their middle.
"""
import argparse
import base64
import http.server
import os
import ssl
import subprocess
import sys
import threading

parser = argparse.ArgumentParser()
parser.add_argument("root")
for flag in ("user", "password", "bearer", "cert", "key", "client-ca", "cut"):
    parser.add_argument("--" + flag)
args = parser.parse_args()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def allowed(self):
        given = self.headers.get("Authorization", "")
        if args.bearer:
            return given == "Bearer " + args.bearer
        if args.user:
            return given == "Basic " + base64.b64encode(f"{args.user}:{args.password}".encode()).decode()
        return True

    def plain(self, status, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def file(self, name):
        if not os.path.isfile(name):
            return self.plain(404)
        with open(name, "rb") as f:
            content = f.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/redirect/"):
            return self.plain(301, [("Location", self.path[len("/redirect"):])])
        if not self.allowed():
            return self.plain(401, [("WWW-Authenticate", "Basic realm=test")])
        path, _, query = self.path.partition("?")
        if path.startswith("/silent"):
            return threading.Event().wait()
        if path.startswith("/plain/"):
            return self.file(os.path.join(args.root, path[len("/plain/"):]))
        env = dict(os.environ, GIT_PROJECT_ROOT=args.root, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=path, QUERY_STRING=query, REQUEST_METHOD=self.command,
                   CONTENT_TYPE=self.headers.get("Content-Type", ""), CONTENT_LENGTH=str(len(body)), REMOTE_ADDR="127.0.0.1", REMOTE_USER="test")
        answer = subprocess.run(["git", "-c", "safe.directory=*", "http-backend"], input=body, env=env, capture_output=True).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        if args.cut and os.path.exists(args.cut) and b"PACK" in content:
            content = content[:len(content) // 2]
        status, headers = 200, []
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            elif name:
                headers.append((name, value))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if args.cert:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args.cert, args.key)
    if args.client_ca:
        context.load_verify_locations(args.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("port", server.server_address[1], flush=True)
sys.stdin.read()
