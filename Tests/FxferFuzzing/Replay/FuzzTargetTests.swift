import Glibc
import Testing

/// The fuzz targets without libFuzzer: what was found once, and a few thousand inputs of which a seed makes the same each
/// time. `Tests/FxferFuzzing/fuzz` searches on from there.
@Suite("Fuzz targets")
struct FuzzTargetTests {
    private static let names = FuzzTarget.all.map(\.name)

    /// How many inputs are tried in each batch of each target.
    private static let batchSize = getenv("FXFER_LONG") == nil ? 500 : 50_000

    private static func target(_ name: String) throws -> FuzzTarget {
        try #require(FuzzTarget.all.first { $0.name == name })
    }

    /// The seeds, and what was found and kept.
    private static func corpus(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let seeds = target.seeds().enumerated().map { (name: "seed \($0)", bytes: $1) }
        let found = try Testdata.names(in: "fuzz/\(target.name)").map { name in
            (name: name, bytes: try Testdata.bytes(of: "fuzz/\(target.name)/\(name)"))
        }
        return seeds + found
    }

    @Test("the corpus breaks no rule", arguments: Self.names)
    func corpus(name: String) throws {
        let target = try Self.target(name)
        for input in try Self.corpus(of: target) {
            #expect(throws: Never.self, "\(input.name)") { try target.run(input.bytes) }
        }
    }

    @Test("inputs that are made of the corpus break no rule", arguments: Self.names, 0..<4 as Range<UInt64>)
    func mutations(name: String, batch: UInt64) throws {
        let target = try Self.target(name)
        let corpus = try Self.corpus(of: target).map(\.bytes)
        var generator = SeededGenerator(seed: batch)
        for number in 0..<Self.batchSize {
            var input = corpus.randomElement(using: &generator) ?? []
            for _ in 0...Int.random(in: 0..<6, using: &generator) {
                input.mutate(with: corpus.randomElement(using: &generator) ?? [], &generator)
            }
            input = Array(input.prefix(target.maxLength))
            do {
                try target.run(input)
            } catch {
                Issue.record("\(name), batch \(batch), input \(number): \(error): \(input)")
                return
            }
        }
    }

    @Test("whatever was found belongs to a target")
    func folders() {
        #expect(Set(Testdata.names(in: "fuzz")).subtracting(["README.md"]).isSubset(of: Self.names))
        #expect(Set(Self.names).count == Self.names.count)
    }

    @Test("a rule that is broken is told")
    func brokenRule() {
        #expect(throws: BrokenRule.self) { try require(false, "a rule") }
        #expect(throws: BrokenRule.self) { try require(nil as Int?, "a rule") }
        #expect(throws: BrokenRule.self) { try requireHarmless("\u{9B}", "a text") }
    }
}
