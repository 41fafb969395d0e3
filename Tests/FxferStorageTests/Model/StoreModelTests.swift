import Glibc
import Testing

@testable import FxferStorage

/// Random sequences of what clients and servers do, played with a real directory and with the simplest model of one.
@Suite("A directory and its model")
struct StoreModelTests {
    /// Sequences for each batch. FXFER_LONG=1 plays many more.
    private static let sequences = getenv("FXFER_LONG") == nil ? 75 : 1500
    private static let length = 30

    @Test("are the same after whatever clients and servers do", arguments: 0..<4 as Range<UInt64>)
    func random(batch: UInt64) async {
        for number in 0..<Self.sequences {
            let seed = batch << 32 | UInt64(number)
            let events = Self.events(seed)
            guard let failure = await Self.failure(of: events) else { continue }
            let shortest = await Self.shrunk(events)
            let text = shortest.map { "\n  \($0)" }.joined()
            let last = await Self.failure(of: shortest) ?? "none, when it was played once more"
            Issue.record("seed \(seed): \(failure)\nshortest sequence that was seen to fail: \(last)\(text)")
            return
        }
    }

    private static func events(_ seed: UInt64) -> [StoreEvent] {
        var generator = SeededGenerator(seed: seed)
        return StoreEvent.sequence(Self.length, &generator)
    }

    private static func failure(of events: [StoreEvent]) async -> String? {
        do {
            try await ModelRun.play(events)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Leaves out what is not needed for a failure: halves, quarters and so on, down to single events.
    private static func shrunk(_ events: [StoreEvent]) async -> [StoreEvent] {
        var events = events
        var count = events.count / 2
        while count > 0 {
            var start = 0
            while start < events.count {
                let less = Array(events[..<start] + events.dropFirst(start + count))
                if await Self.failure(of: less) != nil { events = less } else { start += count }
            }
            count /= 2
        }
        return events
    }
}
