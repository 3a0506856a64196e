"""Reads who has logged in from a token that a proxy has signed, as Cloudflare Access does."""

import logging

from app.config import SettingError

ALGORITHMS = ["RS256", "ES256"]
"""What proxies sign with. None of them takes a secret that a stranger could choose."""

KEYS_LIFETIME = 3600
"""Seconds for which fetched keys are used; a token with a new key has them fetched at once."""

FETCH_TIMEOUT = 5
"""Seconds in which the keys have to come."""

_log = logging.getLogger(__name__)


class TokenReader:
    """Reads JSON Web Tokens (RFC 7519) with the keys that their signer publishes."""

    def __init__(self, certs: str, audience: str) -> None:
        """Keep the settings; the keys are fetched for the first token.

        Args:
            certs: the address of the keys, a JSON Web Key Set (RFC 7517).
            audience: whom a token must be made for.

        Raises:
            SettingError: where PyJWT is missing.
        """
        try:
            import jwt
        except ImportError:
            raise SettingError(
                "FORMCAST_ACCESS_CERTS needs PyJWT, which is not installed. Run "
                "`make access-tools`."
            ) from None
        self._jwt, self._audience = jwt, audience
        self._keys = jwt.PyJWKClient(certs, lifespan=KEYS_LIFETIME, timeout=FETCH_TIMEOUT)

    def read(self, token: str) -> str:
        """Return the name of who has logged in, "" for a token that opens nothing."""
        try:
            claims = self._jwt.decode(
                token,
                self._keys.get_signing_key_from_jwt(token).key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                options={"require": ["exp", "aud"]},
            )
        except self._jwt.PyJWKClientConnectionError as error:
            _log.error("The keys at FORMCAST_ACCESS_CERTS cannot be fetched: %s", error)
            return ""
        except self._jwt.PyJWTError:
            return ""
        return str(claims.get("email") or claims.get("sub") or claims.get("common_name") or "")
