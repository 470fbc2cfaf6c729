import { verify } from '#crypto';
import type { Crypto } from './crypto/port.ts';
import { type Certificate, type CertificateRule, votePayload } from './types/certificate.ts';
import { err, ok, type Result } from './types/errors.ts';
import type { Header } from './types/header.ts';
import type { BlockId } from './types/ids.ts';
import { totalPower, type ValidatorSet } from './types/validator.ts';

/** Why a certificate does not make a block final. */
export type CertificateError =
  | { readonly code: 'CERTIFICATE_OF_OTHER_BLOCK' }
  /** The phase is none whose quorum decides. */
  | { readonly code: 'CERTIFICATE_PHASE' }
  /** An index outside the set, or not above the one before it. */
  | { readonly code: 'CERTIFICATE_SIGNERS' }
  | { readonly code: 'CERTIFICATE_QUORUM'; readonly power: number; readonly quorum: number }
  | { readonly code: 'CERTIFICATE_SIGNATURE'; readonly index: number };

/**
 * Whether `certificate` makes the block with this header and id final: signatures of a quorum of
 * `validators`, the set that decides the header's height, under the engine's rule, and not one that is not valid. That the id
 * is the header's, and the set the one in force, is for the caller to know.
 */
export function verifyCertificate(
  header: Header,
  id: BlockId,
  certificate: Certificate,
  validators: ValidatorSet,
  rule: CertificateRule,
  verifies: Crypto['verify'] = verify,
): Result<void, CertificateError> {
  const { height, view, signatures } = certificate;
  if (height !== header.height || certificate.block !== id) return err({ code: 'CERTIFICATE_OF_OTHER_BLOCK' });
  if (certificate.phase !== rule.phase) return err({ code: 'CERTIFICATE_PHASE' });
  let power = 0;
  let previous = -1;
  for (const { index } of signatures) {
    const signer = validators[index];
    if (signer === undefined || index <= previous) return err({ code: 'CERTIFICATE_SIGNERS' });
    power += signer.power;
    previous = index;
  }
  const quorum = rule.quorum(totalPower(validators));
  if (power < quorum) return err({ code: 'CERTIFICATE_QUORUM', power, quorum });
  const payload = votePayload(rule.tag, header.chainId, height, view, id);
  for (const { index, signature } of signatures)
    if (!verifies(validators[index]!.key, payload, signature)) return err({ code: 'CERTIFICATE_SIGNATURE', index });
  return ok(undefined);
}

/** The certificate without the signatures that its quorum does not need: of each choice the one of the lowest indices. */
export function minimalCertificate(
  certificate: Certificate,
  validators: ValidatorSet,
  rule: CertificateRule,
): Certificate {
  const quorum = rule.quorum(totalPower(validators));
  let spare = certificate.signatures.reduce((sum, { index }) => sum + validators[index]!.power, 0) - quorum;
  const signatures = certificate.signatures.toReversed().filter(({ index }) => {
    const { power } = validators[index]!;
    if (power > spare) return true;
    spare -= power;
    return false;
  });
  return { ...certificate, signatures: signatures.reverse() };
}

/** Whether no signature could be left out of the certificate, which has a quorum. */
export function isMinimal({ signatures }: Certificate, validators: ValidatorSet, rule: CertificateRule): boolean {
  const powers = signatures.map(({ index }) => validators[index]!.power);
  const spare = powers.reduce((sum, power) => sum + power, 0) - rule.quorum(totalPower(validators));
  return powers.every(power => power > spare);
}
