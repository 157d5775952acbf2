#!/usr/bin/env python3
"""Real git servers for tests: git http-backend behind nginx with TLS and a password, and sshd.

git_servers.py ROOT FOLDER   serves the repositories below ROOT; FOLDER is for what the servers need and gets ca.crt, ca.key (TLS), client_key
                             (ssh, passphrase "planted-passphrase") and host_key_TYPE.pub (ed25519, ecdsa, rsa)
Prints "ports HTTPS SSH" when both listen on 127.0.0.1 and ends with its standard input; user "git-user", password "planted-password" for https.
Both servers get sockets that listen already, so that no port has to be guessed. When it cannot: "ports no" and why.
"""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading

root, folder = (os.path.abspath(a) for a in sys.argv[1:3])
os.environ["PATH"] += ":/usr/sbin:/sbin"
for program in ("nginx", "fcgiwrap", "sshd", "ssh-keygen", "openssl", "git"):
    if not shutil.which(program):
        print(f"ports no {program}: deploy/install-packages.sh tests/packages.txt", flush=True)
        sys.exit(3)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
children = []


def quiet(*command, **more):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def write(name, text, mode=0o600):
    with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as f:
        f.write(text)


def listen():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(64)
    return s, s.getsockname()[1]


def certificates():
    quiet("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "2",
          "-subj", "/CN=test-authority")
    quiet("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=127.0.0.1")
    write("tls.ext", "subjectAltName=IP:127.0.0.1\n")
    quiet("openssl", "x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "tls.ext", "-out", "tls.crt")


def serve_https():
    certificates()
    s, port = listen()
    hashed = subprocess.run(["openssl", "passwd", "-apr1", "planted-password"], check=True, capture_output=True, text=True).stdout.strip()
    write("users", f"git-user:{hashed}\n")
    backend = subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True).stdout.strip() + "/git-http-backend"
    user = pwd.getpwuid(os.getuid()).pw_name
    temporary = "".join(f"  {kind}_temp_path {folder}/tmp-{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    write("nginx.conf", f"""
{f'user {user};' if os.getuid() == 0 else ''}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
{temporary}  access_log off;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/tls.crt;
    ssl_certificate_key {folder}/tls.key;
    auth_basic git;
    auth_basic_user_file {folder}/users;
    location / {{
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME {backend};
      fastcgi_param GIT_PROJECT_ROOT {root};
      fastcgi_param GIT_HTTP_EXPORT_ALL "";
      fastcgi_param PATH_INFO $uri;
      fastcgi_pass unix:{folder}/cgi;
    }}
  }}
}}
""")
    write("gitconfig", "[safe]\n  directory = *\n")
    environment = dict(os.environ, GIT_CONFIG_GLOBAL=f"{folder}/gitconfig")
    cgi = socket.socket(socket.AF_UNIX)
    cgi.bind("cgi")
    cgi.listen(64)
    children.append(subprocess.Popen(["fcgiwrap"], stdin=cgi, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment))
    os.set_inheritable(s.fileno(), True)
    children.append(subprocess.Popen(["nginx", "-p", folder, "-c", f"{folder}/nginx.conf"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     env=dict(environment, NGINX=f"{s.fileno()};"), close_fds=False))
    return port


def serve_ssh():
    for kind in ("ed25519", "ecdsa", "rsa"):
        quiet("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", f"host_key_{kind}")
    # PEM: what libssh2 reads wherever it runs.
    quiet("ssh-keygen", "-q", "-t", "ecdsa", "-m", "PEM", "-N", "planted-passphrase", "-f", "client_key")
    shutil.copy("client_key.pub", "authorized_keys")
    write("sshd.conf", f"""
HostKey {folder}/host_key_ed25519
HostKey {folder}/host_key_ecdsa
HostKey {folder}/host_key_rsa
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
PidFile none
LogLevel ERROR
""")
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    s, port = listen()
    sshd = shutil.which("sshd")

    def accept():
        while True:
            connection, _ = s.accept()
            log = open("sshd.log", "a")
            subprocess.Popen([sshd, "-i", "-f", f"{folder}/sshd.conf"], stdin=connection, stdout=connection, stderr=log)
            connection.close()
            log.close()

    threading.Thread(target=accept, daemon=True).start()
    return port


try:
    print("ports", serve_https(), serve_ssh(), flush=True)
    sys.stdin.read()
except (OSError, subprocess.SubprocessError) as error:
    print("ports no", error, flush=True)
finally:
    for child in children:
        child.terminate()
        child.wait()
