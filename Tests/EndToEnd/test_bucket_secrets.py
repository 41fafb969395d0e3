"""`fxfer serve --store`: no error repeats a secret, whatever is wrong with it."""

import subprocess

from buckets import KEY, BucketCase, environment
from fake_store import FakeStore
from support import FXFER, PATIENCE

USAGE, NOT_PERMITTED = 64, 77


class BucketSecretTest(BucketCase):
    def fail(self, status, endpoint=None, **variables):
        """A server that does not start; answers its one line."""
        options = ["--s3-endpoint", endpoint] if endpoint else []
        command = [FXFER, "serve", "--listen", "127.0.0.1:0", "--store", "s3://files", *options]
        result = subprocess.run(
            command,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
        )
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertRegex(result.stderr, rb"\Afxfer: [^\n]+\n\Z")
        self.assertNotIn(b"SECRET", result.stdout + result.stderr)
        return result.stderr.decode()

    def test_a_session_token_that_is_none(self):
        with FakeStore() as store:
            for token in ("SECRET\x01TOKEN", "SECRET\nx: y", "SECRET TOKEN", "SECRET\xe9"):
                with self.subTest(token):
                    error = self.fail(NOT_PERMITTED, store.endpoint, **KEY, AWS_SESSION_TOKEN=token)
                    self.assertIn("AWS_SESSION_TOKEN", error)
            file = self.file("credentials", b"[default]\naws_access_key_id=a\naws_secret_access_key=b\n"
                                            b"aws_session_token=SECRET\x01TOKEN\n")
            error = self.fail(NOT_PERMITTED, store.endpoint, AWS_SHARED_CREDENTIALS_FILE=str(file))
            self.assertIn("aws_session_token", error)
            self.assertEqual(store.requests, [])

    def test_a_password_in_an_endpoint(self):
        for endpoint in ("http://user:SECRET@127.0.0.1:7", "https://SECRET@127.0.0.1", "http://u:SEC/SECRET@a"):
            with self.subTest(endpoint):
                self.assertIn("is no endpoint", self.fail(USAGE, endpoint, **KEY))
                self.assertIn("is no endpoint", self.fail(USAGE, **KEY, AWS_ENDPOINT_URL=endpoint))


del BucketCase
