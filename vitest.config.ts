import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const startsProcesses = ({ moduleId }: TestSpecification): boolean => /\/test\/(e2e|byzantine)\//.test(moduleId);

/** What runs networks of processes takes longest, whatever the size of its file: begun last, it would run alone at the end. */
class ProcessesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [...sorted.filter(startsProcesses), ...sorted.filter(each => !startsProcesses(each))];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.long.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // A process for each of so many files takes longer to start than most of them to run; none leaves anything behind for the next.
    isolate: false,
    sequence: { sequencer: ProcessesFirst },
  },
});
