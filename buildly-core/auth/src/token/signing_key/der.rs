//! The few elements of DER (ITU-T X.690) that our keys are taken apart by.

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// Modulus and exponent of `RSAPublicKey ::= SEQUENCE { INTEGER, INTEGER }` (RFC 8017
/// section A.1.1), without leading zeros.
pub(super) fn rsa_public_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (body, after) = read_element(SEQUENCE, der)?;
    let (modulus, rest) = read_element(INTEGER, body)?;
    let (exponent, end) = read_element(INTEGER, rest)?;
    (after.is_empty() && end.is_empty()).then_some((without_sign(modulus), without_sign(exponent)))
}

/// The key inside `PrivateKeyInfo ::= SEQUENCE { version, algorithm, OCTET STRING, … }`
/// (PKCS #8, RFC 5208 section 5).
pub(super) fn private_key(der: &[u8]) -> Option<&[u8]> {
    let (body, _) = read_element(SEQUENCE, der)?;
    let (_version, rest) = read_element(INTEGER, body)?;
    let (_algorithm, rest) = read_element(SEQUENCE, rest)?;
    read_element(OCTET_STRING, rest).map(|(key, _)| key)
}

fn without_sign(integer: &[u8]) -> &[u8] {
    integer.strip_prefix(&[0]).unwrap_or(integer)
}

/// One DER element with this tag: its content, and what follows it.
fn read_element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.strip_prefix(&[tag])?.split_first()?;
    let (length, rest) = match first {
        short @ 0..=127 => (usize::from(short), rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let length = bytes
                .iter()
                .try_fold(0_usize, |length, &byte| length.checked_mul(256)?.checked_add(usize::from(byte)))?;
            (length, rest)
        }
    };
    rest.split_at_checked(length)
}
