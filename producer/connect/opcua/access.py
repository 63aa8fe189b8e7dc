"""Who gets into our OPC UA server: a trusted client, over an encrypted channel, as a user with a password.

asyncua's own defaults are wide open, and no setting closes some of that (2.1.0; tests/integration/test_connect_opcua.py
shows it). A session may be resumed on another channel by a number that can be guessed, before that channel has proved
anything. Any client may register servers. A password may be encrypted by RSA with the padding of PKCS 1.5, whose errors
reveal the key. A channel without security can be opened whatever the policies say: a client that uses one is refused
when the session is activated.
"""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.uacrypto import x509_from_der
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession
from asyncua.server.user_managers import UserManager
from cryptography import x509

from producer.connect.opcua.certificates import TrustedClients, application_uri
from producer.connect.opcua.users import PASSWORDS, users_in

CONNECTIONS = 100
"""Clients at once, those among them that never say who they are."""

SUBSCRIPTIONS = 300
"""Subscriptions of all clients together."""

SUBSCRIPTIONS_EACH = 10
"""Those of one session: each costs a millisecond of every event, also while its client reads nothing."""

QUEUE = 500
"""Events that wait for one client; then the oldest are left out, and can be asked for. They go in one message."""

PENDING = 2_000
"""Requests of one client that wait: who learns all types at once asks for hundreds in one go, and would be cut off."""

_CALLER: ContextVar[str | None] = ContextVar("caller", default=None)
_NOBODY = User(role=UserRole.Anonymous)

_PKCS_1_5 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"


def caller() -> str | None:
    """The user whose session calls the method that runs just now."""
    return _CALLER.get()


class KnownUsers(UserManager):  # type: ignore[misc]
    """Lets in the users of a file, on the channels of trusted clients."""

    def __init__(self, file: Path, clients: TrustedClients):
        """
        Raises:
            ValueError: the file cannot be read.
        """
        self._file = file
        self._clients = clients
        users_in(file)

    def get_user(
        self,
        _iserver: InternalServer,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> User | None:
        """The user, if it is one; `certificate` is that of the channel, DER.

        It is looked at once more: at the session's creation the client may have shown another's, or none.
        """
        channel = x509_from_der(certificate) if certificate else None
        problem = self._problem(username, password, channel)
        if problem is None:
            return User(role=UserRole.User, name=username)
        self._clients.refuse(channel, problem)
        return None

    def _problem(self, name: str | None, password: str | None, channel: x509.Certificate | None) -> str | None:
        if channel is None:
            return "its channel is not encrypted: it must use Basic256Sha256, sign and encrypt"
        if (untrusted := self._clients.problem(channel)) is not None:
            return untrusted
        if not name or password is None:
            return "it names no user: it must sign in with a name and a password"
        try:
            user = users_in(self._file).get(name)
        except ValueError as error:
            return str(error)
        kept = None if user is None else user.kept
        return None if PASSWORDS.fits(kept, password) else f"the user {name} or its password is wrong"


class _Session(InternalSession):  # type: ignore[misc]
    """asyncua's session, whose methods can find out who calls them, and whose subscriptions delay no other client."""

    async def create_subscription(self, *arguments: Any, **more: Any) -> ua.CreateSubscriptionResult:
        """Begin a subscription, up to as many as one session may have."""
        others = [*self.subscription_service.subscriptions.values()]
        if sum(one.session_id == self.session_id for one in others) >= SUBSCRIPTIONS_EACH:
            raise ServiceError(ua.StatusCodes.BadTooManySubscriptions)
        return await super().create_subscription(*arguments, **more)

    async def call(self, params: list[ua.CallMethodRequest]) -> list[ua.CallMethodResult]:
        """Call methods as the session's user."""
        _CALLER.set(self.user.name)  # each request is a task of its own, or waits for the one before
        results: list[ua.CallMethodResult] = await super().call(params)
        return results


class GuardedServer(InternalServer):  # type: ignore[misc]
    """asyncua's inner server without what would let others in (see above)."""

    def __init__(self, users: Path, clients: TrustedClients):
        """
        Raises:
            ValueError: the users' file cannot be read.
        """
        super().__init__(user_manager=KnownUsers(users, clients))
        self._clients = clients
        self.allow_remote_admin = False
        self.supported_tokens = (ua.UserNameIdentityToken,)
        self.certificate_validator = self._check_client
        self.max_connections = CONNECTIONS
        self.max_subscriptions = SUBSCRIPTIONS
        self.max_monitored_item_queue_size = QUEUE
        self.max_pending_messages_per_connection = PENDING

    async def _check_client(self, certificate: x509.Certificate, description: ua.ApplicationDescription) -> None:
        problem = self._clients.problem(certificate)
        if problem is not None:
            self._clients.refuse(certificate, problem)
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)
        try:
            uri = application_uri(certificate)
        except ValueError as error:
            self._clients.refuse(certificate, str(error))
            raise ServiceError(ua.StatusCodes.BadCertificateUriInvalid) from None
        if uri != description.ApplicationUri:
            self._clients.refuse(certificate, f"its certificate is of {uri}, and it says that it is another")
            raise ServiceError(ua.StatusCodes.BadCertificateUriInvalid)

    def create_session(self, name: str, user: User = _NOBODY, external: bool = False) -> InternalSession:
        """A session that knows its user."""
        return _Session(self, self.aspace, self.subscription_service, name, user=user, external=external)

    def lookup_external_session(self, _auth_token: ua.NodeId) -> InternalSession | None:
        """None: no session is taken up on another channel. A client that was cut off makes a new one."""
        return None

    def register_server(self, _server: Any, _conf: Any = None) -> None:
        """Refused: this is no directory of servers."""
        raise ServiceError(ua.StatusCodes.BadServiceUnsupported)

    def register_server2(self, _params: ua.RegisterServer2Parameters) -> None:
        """Refused: this is no directory of servers."""
        raise ServiceError(ua.StatusCodes.BadServiceUnsupported)

    def decrypt_user_token(self, isession: Any, token: ua.UserNameIdentityToken) -> tuple[str, str]:
        """The name and the password; refused under the old padding.

        Raises:
            ServiceError: the padding is PKCS 1.5.
        """
        if token.EncryptionAlgorithm == _PKCS_1_5:
            raise ServiceError(ua.StatusCodes.BadIdentityTokenRejected)
        name_and_password: tuple[str, str] = super().decrypt_user_token(isession, token)
        return name_and_password
