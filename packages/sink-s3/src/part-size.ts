/** How large the n-th part of an upload is, so that 10,000 parts are enough whatever comes. */

const MIB = 1024 ** 2;
/** S3 takes 10,000 parts of up to 5 GiB. docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PART_BYTES = 5 * 1024 ** 3;
/** Some room: a size hint may be a little low. */
const PLANNED_PARTS = 9000;
/** 64 GiB in parts of 8 MiB at first. Further parts grow, for an object whose size was not known or is larger than said. */
const STEADY_PARTS = 4000;
/** In this many steps the parts that are left grow more than two hundredfold. */
const STEPS = 24;
const GROWTH = 1.25;
const MAX_PARTS = 10_000;

/**
 * @param base the configured size in bytes
 * @param sizeHint the object's size in bytes, as far as it is known
 * @returns the size of part `number` (the first is 1) in bytes
 */
export function partSizes(base: number, sizeHint: number | undefined): (number: number) => number {
  const first = Math.max(base, wholeMib((sizeHint ?? 0) / PLANNED_PARTS));
  const expected = Math.ceil((sizeHint ?? 0) / first);
  const steady = Math.min(PLANNED_PARTS, Math.max(STEADY_PARTS, expected));
  const growsEvery = Math.floor((MAX_PARTS - steady) / STEPS);
  return (number) => {
    const steps = Math.max(0, Math.ceil((number - steady) / growsEvery));
    return Math.min(MAX_PART_BYTES, steps === 0 ? first : wholeMib(first * GROWTH ** steps));
  };
}

function wholeMib(bytes: number): number {
  return Math.ceil(bytes / MIB) * MIB;
}
