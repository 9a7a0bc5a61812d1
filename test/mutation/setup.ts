import fc from 'fast-check';

/** A property that fails has done its work: the smallest example is for people, and takes longer than everything else. */
fc.configureGlobal({ numRuns: 50, endOnFailure: true });
