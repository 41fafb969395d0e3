import Testing

@testable import FxferStorage

// One after the other: whether descriptors were lost is seen by a look at all that are open.
@Suite("Whichever call fails", .serialized)
struct FaultTests {
    @Test("each file of a group is stored whole and durably, or withdrawn", arguments: SystemCall.allCases)
    func group(call: SystemCall) async throws {
        try await FaultLoop.run(call) { try await GroupScene(in: $0) }
    }

    @Test("a user's file is written whole and durably, or is as it was", arguments: SystemCall.allCases, [false, true])
    func outputFile(call: SystemCall, isReplacing: Bool) async throws {
        try await FaultLoop.run(call) { try OutputFileScene(in: $0, isReplacing: isReplacing) }
    }

    @Test("groups of files in a user's folder are durable where no error is told", arguments: SystemCall.allCases)
    func outputFolder(call: SystemCall) async throws {
        try await FaultLoop.run(call) { try OutputFolderScene(in: $0) }
    }

    @Test("entries are in the ledger, durably, or none of them is", arguments: SystemCall.allCases)
    func ledger(call: SystemCall) async throws {
        try await FaultLoop.run(call) { try LedgerAppendScene(in: $0) }
    }

    @Test("a ledger that cannot be opened can be later", arguments: SystemCall.allCases)
    func ledgerOpening(call: SystemCall) async throws {
        try await FaultLoop.run(call) { try LedgerOpeningScene(in: $0) }
    }

    @Test("a ledger is compacted or as it was, and goes on", arguments: SystemCall.allCases)
    func compaction(call: SystemCall) async throws {
        try await FaultLoop.run(call) { try LedgerCompactionScene(in: $0) }
    }

    @Test("a directory that cannot be opened can be later, and nothing good is swept", arguments: SystemCall.allCases)
    func opening(call: SystemCall) async throws {
        for isNew in [true, false] {
            try await FaultLoop.run(call) { try await OpeningScene(in: $0, isNew: isNew) }
        }
    }

    @Test("states are kept whole or not at all", arguments: SystemCall.allCases)
    func states(call: SystemCall) async throws {
        try await FaultLoop.run(call) { try StatesScene(in: $0) }
    }

    @Test("partials expire, now or later, and no others", arguments: SystemCall.allCases)
    func expiry(call: SystemCall) async throws {
        try await FaultLoop.run(call) { try await ExpiryScene(in: $0) }
    }

    @Test("a stored file that cannot be read is told as that", arguments: SystemCall.allCases)
    func verification(call: SystemCall) async throws {
        try await FaultLoop.run(call) { try await VerificationScene(in: $0) }
    }

    @Test("nothing of a tree is passed over in silence, or read as other bytes", arguments: SystemCall.allCases)
    func source(call: SystemCall) async throws {
        try await FaultLoop.run(call) { try SourceScene(in: $0) }
    }
}
