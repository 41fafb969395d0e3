import FxferProtocol
import Testing

/// Every event in every state of the diagram.
@Suite("The order of frames, as the receiver sees it")
struct ReceiverOrderTests {
    typealias Script = ReceiverScript

    enum Outcome: Equatable {
        case answers(Script.Answer)
        case fails(FxferError.Code)
    }

    /// One row a state, in the order of ``ReceiverScript/Event``.
    static let table: [(state: Script.FileState, outcomes: [Outcome])] = [
        (.staging, [broken, broken, broken, broken, tooLong, broken, broken, broken, broken, .answers(.forget)]),
        (.abandoned, [broken, broken, broken, broken, tooLong, broken, broken, broken, broken, broken]),
        (
            .receiving,
            [
                broken, broken, .answers(.confirm(1, 20)), broken, tooLong,
                .answers(.refuse(1, .damaged)), .answers(.refuse(1, .damaged)), .answers(.refuse(1, .damaged)),
                broken, discarded,
            ]
        ),
        (
            .rewinding,
            [
                broken, broken, .answers(.confirm(1, 20)), discarded, tooLong,
                discarded, discarded, discarded,
                broken, discarded,
            ]
        ),
        (
            .matching,
            [
                broken, .answers(.refuse(1, .exists)), broken, broken, tooLong,
                .answers(.commit(.standIn(30))), .answers(.refuse(1, .exists)), .answers(.refuse(1, .exists)),
                broken, discarded,
            ]
        ),
        (
            .resumed,
            [
                broken, .answers(.confirm(1, 10)), .answers(.confirm(1, 20)), broken, tooLong,
                .answers(.refuse(1, .damaged)), .answers(.refuse(1, .damaged)), .answers(.refuse(1, .damaged)),
                broken, discarded,
            ]
        ),
        (
            .matchingOrElse,
            [
                broken, .answers(.confirm(1, 10)), broken, broken, tooLong,
                .answers(.commit(.standIn(30))), .answers(.refuse(1, .exists)), .answers(.refuse(1, .exists)),
                broken, discarded,
            ]
        ),
        (
            .decayed,
            [
                broken, .answers(.refuse(1, .exists)), broken, broken, tooLong,
                .answers(.refuse(1, .exists)), .answers(.refuse(1, .exists)), .answers(.refuse(1, .exists)),
                .answers(.stage), discarded,
            ]
        ),
        (
            .decayedOrElse,
            [
                broken, .answers(.confirm(1, 10)), broken, broken, tooLong,
                .answers(.refuse(1, .exists)), .answers(.refuse(1, .exists)), .answers(.refuse(1, .exists)),
                .answers(.stage), discarded,
            ]
        ),
        (
            .repairing,
            [
                broken, broken, .answers(.confirm(1, 20)), .answers(.confirm(1, 30)), tooLong,
                .answers(.fill(upTo: 30)), .answers(.refuse(1, .damaged)), .answers(.refuse(1, .damaged)),
                broken, discarded,
            ]
        ),
        (
            .repairRewinding,
            [
                broken, broken, .answers(.confirm(1, 20)), discarded, tooLong,
                discarded, discarded, discarded,
                broken, discarded,
            ]
        ),
        (.committing, [broken, broken, broken, broken, tooLong, broken, broken, broken, broken, broken]),
        (
            .refused,
            [
                broken, discarded, discarded, discarded, tooLong,
                discarded, discarded, discarded,
                discarded, .answers(.forget),
            ]
        ),
        (.none, [.answers(.stage), broken, broken, broken, tooLong, broken, broken, broken, broken, broken]),
        (.gone, [broken, broken, broken, broken, tooLong, broken, broken, broken, broken, broken]),
    ]

    private static let broken = Outcome.fails(.protocolViolation)
    private static let tooLong = Outcome.fails(.limitExceeded)
    private static let discarded = Outcome.answers(.discard)

    static let cases = Self.table.flatMap { row in
        zip(Script.Event.allCases, row.outcomes).map { (row.state, $0, $1) }
    }

    @Test("an event is answered as the state of its file allows", arguments: Self.cases)
    func order(state: Script.FileState, event: Script.Event, outcome: Outcome) throws {
        var script = try Script(fileIn: state)
        switch outcome {
        case .answers(let answer):
            #expect(try script.send(event) == answer)
        case .fails(let code):
            let error = #expect(throws: FxferError.self) { try script.send(event) }
            #expect(error?.code == code)
        }
        let mayCommit = [.matching, .matchingOrElse].contains(state) && event == .finishRight
        #expect(script.commits == (mayCommit ? [.standIn(30)] : []))
    }

    @Test("the table has every state and every event")
    func completeness() {
        #expect(Set(Self.table.map(\.state)) == Set(Script.FileState.allCases))
        #expect(Self.cases.count == Script.FileState.allCases.count * Script.Event.allCases.count)
    }

    @Test(
        "an event about a file that was never opened breaks the protocol",
        arguments: Script.Event.allCases.filter { $0 != .offerAgain && $0 != .chunkTooLong },
        [0, 2, .max] as [FileID]
    )
    func unknownFile(event: Script.Event, file: FileID) throws {
        var script = try Script(fileIn: .receiving)
        let error = #expect(throws: FxferError.self) {
            switch event {
            case .cancel: try script.cancel(file)
            case .repair: try script.repair(file)
            case .finishRight, .finishShort, .finishWrong: try script.finish(file, .standIn(30))
            default: try script.chunk(file, at: 0)
            }
        }
        #expect(error?.code == .protocolViolation)
        #expect(script.commits.isEmpty)
    }

    @Test(
        "offsets up to 2^64-1 are judged without a trap",
        arguments: Script.FileState.allCases,
        [1 << 60, 1 << 63, .max] as [UInt64]
    )
    func hugeOffsets(state: Script.FileState, offset: UInt64) throws {
        var script = try Script(fileIn: state)
        _ = try? script.chunk(1, at: min(offset, .max - 10))
        _ = try? script.announce(1, at: offset)
        _ = try? script.finish(1, FilePrefix(length: offset, digest: .ofNothing))
        #expect(script.commits.isEmpty)
    }
}
