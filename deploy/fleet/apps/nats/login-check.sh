# Logs in to nats as `app` and fails unless the server answers: the smallest client there is, and a proof that the password of the
# clients and the hash of the server belong together. The sleep keeps the connection open until the answer is there.
set -eu
{
  printf 'CONNECT {"verbose":false,"user":"app","pass":"%s","name":"login-check"}\r\nPING\r\n' "$NATS_APP_PASSWORD"
  sleep 2
} | nc -w 5 nats 4222 | grep -q '^PONG'
