"""A sign-in provider for tests: its key signs what a test asks for; services read it as they read any other."""

import time
from collections.abc import Sequence
from typing import Any

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "http://issuer.test"
KEY_ID = "testing"
EVERYTHING = (
    "households.read",
    "households.write",
    "reviews.record",
    "reviews.decide",
    "reviews.opine",
    "law.write",
    "areas.write",
    "data.erase",
    "households.lookup",
    "simulations.write",
    "indicators.read",
    "funding.read",
    "budget.write",
    "training.read",
    "training.write",
    "reports.read",
    "operate",
    "audit.read",
)
COUNTRY = "VN"


class Tokens:
    """Signs access tokens; `transport` answers as the provider's discovery and key addresses would."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self._keys = {"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "ES256"}]}
        self.transport = httpx2.MockTransport(self._answer)

    def token(
        self,
        permissions: Sequence[str] = EVERYTHING,
        areas: Sequence[str] = (COUNTRY,),
        *,
        subject: str = "officer",
        name: str = "Cán bộ thử nghiệm",
        **claims: Any,
    ) -> str:
        """A token valid for an hour; `claims` add to or replace the usual ones."""
        usual = {
            "iss": ISSUER,
            "aud": "benvung",
            "sub": subject,
            "name": name,
            "exp": int(time.time()) + 3600,
            "permissions": list(permissions),
            "areas": list(areas),
        }
        return jwt.encode({**usual, **claims}, self._key, algorithm="ES256", headers={"kid": KEY_ID})

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/.well-known/openid-configuration"):
            return httpx2.Response(200, json={"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"})
        if request.url.path == "/keys":
            return httpx2.Response(200, json=self._keys)
        return httpx2.Response(404)
