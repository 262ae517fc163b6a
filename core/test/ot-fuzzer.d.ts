declare module 'ot-fuzzer' {
  interface FuzzedType<Snapshot, Op> {
    name: string;
    create(data?: Snapshot): Snapshot;
    apply(snapshot: Snapshot, op: Op): Snapshot;
    transform(op: Op, other: Op, side: 'left' | 'right'): Op;
    compose?(first: Op, second: Op): Op;
    serialize?(snapshot: Snapshot): unknown;
  }
  interface Fuzzer {
    <Snapshot, Op>(
      type: FuzzedType<Snapshot, Op>,
      generate: (snapshot: Snapshot) => readonly [Op, Snapshot],
      iterations?: number,
    ): void;
    randomInt(bound: number): number;
  }
  const fuzzer: Fuzzer;
  export default fuzzer;
}
