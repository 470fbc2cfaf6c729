/** The demo from beginning to end, as a table of contents. */
import { type Agreement, agreementAt } from './agreement.ts';
import { ALICE, BOB } from './cast.ts';
import { CHAPTERS, type ToldChapter, type ToldMistake, tellChapter, tellMistake } from './chapters.ts';
import { type Holding, holdingsOf } from './holdings.ts';
import { balanceOf, type CheckedProof, type Payment, pay, prove } from './payment.ts';
import { type Recall, recallOf } from './recall.ts';
import type { Stage } from './stage.ts';

export interface Story {
  readonly chapters: readonly ToldChapter[];
  readonly mistake: ToldMistake;
  readonly payment: Payment;
  readonly agreement: Agreement;
  readonly holdings: readonly Holding[];
  readonly recall: Recall;
  readonly balances: { readonly alice: string; readonly bob: string };
  readonly proof: CheckedProof;
}

/** Told of each step when it is done. */
export interface Listener {
  chapter(told: ToldChapter): void;
  mistake(told: ToldMistake): void;
  payment(made: Payment): void;
}

/** Plays on a network that runs. Throws the fault of the first step that fails. */
export async function play(stage: Stage, listener: Listener): Promise<Story> {
  const chapters: ToldChapter[] = [];
  for (const chapter of CHAPTERS) {
    const told = await tellChapter(stage, chapter);
    chapters.push(told);
    listener.chapter(told);
  }
  const mistake = await tellMistake(stage);
  listener.mistake(mistake);
  const payment = await pay(stage);
  listener.payment(payment);
  // From here on every node knows all of it, so that it does not matter which one is asked.
  const agreement = await agreementAt(payment.height, stage);
  const holdings = await holdingsOf(stage);
  const recall = await recallOf(stage);
  const balances = { alice: await balanceOf(stage, ALICE), bob: await balanceOf(stage, BOB) };
  const proof = await prove(stage, payment);
  return { chapters, mistake, payment, agreement, holdings, recall, balances, proof };
}
