"""The instance's own CA and the API's certificate: ECDSA P-256. Imported only when needed."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
# Apple's clients refuse a server's certificate that is valid for longer than 825 days.
SERVER_DAYS = 365
RENEW_BEFORE_DAYS = 30
_CLOCK_SKEW = timedelta(hours=1)

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


class Pair(NamedTuple):
    """A certificate and its private key, both in PEM."""

    certificate: bytes
    key: bytes


def new_authority(now: datetime) -> Pair:
    """Return a CA that may sign servers and nothing below them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "knary local CA")])
    builder = (
        _dated(now, AUTHORITY_DAYS)
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _signed(builder, key, key)


def new_server(authority: Pair, host: str, now: datetime) -> Pair:
    """Return a certificate for this machine's local names and for `host`."""
    issuer, issuer_key = _parsed(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "knary API")])
    names = x509.SubjectAlternativeName([_general_name(one) for one in _names(host)])
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    server_use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = (
        _dated(now, SERVER_DAYS)
        .subject_name(name)
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(server_use, critical=False)
        .add_extension(issuer_id, critical=False)
    )
    return _signed(builder, key, issuer_key)


def is_authority_usable(authority: Pair, now: datetime) -> bool:
    """Tell whether the CA can be read and outlives a certificate made now."""
    try:
        certificate, _ = _parsed(authority)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return certificate.not_valid_after_utc > now + timedelta(days=SERVER_DAYS)


def _names(host: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*LOCAL_NAMES, host)))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _dated(now: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
) -> Pair:
    certificate = builder.sign(signer, hashes.SHA256())
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def _parsed(pair: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return certificate and key. Raise ValueError or TypeError when they are not a pair."""
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    key = serialization.load_pem_private_key(pair.key, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the key is not an elliptic curve's")
    if certificate.public_key() != key.public_key():
        raise ValueError("the key is another certificate's")
    return certificate, key
