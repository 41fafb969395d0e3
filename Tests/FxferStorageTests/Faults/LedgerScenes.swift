import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

/// Entries that are added to a ledger while calls fail.
struct LedgerAppendScene: FaultScene {
    private let folder: TemporaryFolder
    private let ledger: Ledger

    init(in folder: TemporaryFolder) throws {
        self.folder = folder
        self.ledger = try Ledger(Self.files(folder))
        _ = try self.ledger.append([LedgerUnderTest.entry("a")])
    }

    static func files(_ folder: TemporaryFolder) throws -> LedgerFolder {
        LedgerFolder(try folder.open(), of: Array("out".utf8), patience: .zero)
    }

    static func paths(_ folder: TemporaryFolder) throws -> [String] {
        var reader = try LedgerReader(Self.files(folder))
        var paths: [String] = []
        while let finding = try reader.next() {
            switch finding {
            case .entry(let line): paths.append(line.entry.path.description)
            case .damage(let damage): paths.append("damage in line \(damage.line): \(damage.explanation)")
            }
        }
        return paths
    }

    func run() async throws -> [Digest] {
        try self.ledger.append(["b", "c"].map { try LedgerUnderTest.entry($0) })
    }

    func check(_ result: Result<[Digest], any Error>, _ plan: FaultPlan) async throws {
        // The lock is free for others, whatever came of it.
        let stored = try Self.paths(self.folder)
        switch result {
        case .success(let hashes):
            #expect(hashes.count == 2, FaultLoop.now)
            #expect(stored == ["a", "b", "c"], FaultLoop.now)
            let file = try #require(try self.folder.status(of: LedgerUnderTest.name)).identity
            let calls = plan.calls.filter { $0.file == file && $0.wasMade }
            let write = try #require(calls.lastIndex { $0.call == .pwrite })
            #expect(calls[write...].contains { $0.call == .fsync }, FaultLoop.now)
        case .failure:
            #expect(stored == ["a"], FaultLoop.now)
        }
        // This server, where nothing is unsure, and one that is started anew go on.
        let isUnsure = plan.calls.contains { $0.call == .fsync && $0.fault != nil }
        var expected = stored
        if isUnsure {
            #expect(throws: FxferError.self) { try self.ledger.append([LedgerUnderTest.entry("d")]) }
        } else {
            _ = try self.ledger.append([LedgerUnderTest.entry("d")])
            expected.append("d")
        }
        _ = try Ledger(Self.files(self.folder)).append([LedgerUnderTest.entry("e")])
        #expect(try Self.paths(self.folder) == expected + ["e"], FaultLoop.now)
    }
}

/// A ledger that is opened, and mended, while calls fail.
struct LedgerOpeningScene: FaultScene {
    private let folder: TemporaryFolder

    init(in folder: TemporaryFolder) throws {
        self.folder = folder
        _ = try Ledger(LedgerAppendScene.files(folder)).append(["a", "b"].map { try LedgerUnderTest.entry($0) })
        try folder.append(Array(#"{"torn"#.utf8), to: LedgerUnderTest.name)
        try folder.write([1], to: "ledger.new")
    }

    func run() async throws {
        _ = try Ledger(LedgerAppendScene.files(self.folder))
    }

    func check(_ result: Result<Void, any Error>, _ plan: FaultPlan) async throws {
        if case .success = result { #expect(try LedgerAppendScene.paths(self.folder) == ["a", "b"], FaultLoop.now) }
        _ = try Ledger(LedgerAppendScene.files(self.folder)).append([LedgerUnderTest.entry("c")])
        #expect(try LedgerAppendScene.paths(self.folder) == ["a", "b", "c"], FaultLoop.now)
        #expect(try self.folder.names() == [LedgerUnderTest.head, LedgerUnderTest.name], FaultLoop.now)
    }
}

/// A ledger that is compacted while calls fail and a server has it open.
struct LedgerCompactionScene: FaultScene {
    private let folder: TemporaryFolder
    private let ledger: Ledger

    init(in folder: TemporaryFolder) throws {
        self.folder = folder
        self.ledger = try Ledger(LedgerAppendScene.files(folder))
        _ = try self.ledger.append(["a", "b", "a"].map { try LedgerUnderTest.entry($0) })
    }

    func run() async throws -> Int {
        let (_, after) = try LedgerCompaction(LedgerAppendScene.files(self.folder)) { _ in true }.run()
        return after
    }

    func check(_ result: Result<Int, any Error>, _ plan: FaultPlan) async throws {
        let stored = try LedgerAppendScene.paths(self.folder)
        switch result {
        case .success(let count):
            #expect(count == 2, FaultLoop.now)
            #expect(stored == ["b", "a"], FaultLoop.now)
        case .failure:
            // Where its name was taken and that could not be made durable, it is either.
            #expect([["a", "b", "a"], ["b", "a"]].contains(stored), FaultLoop.now)
        }
        _ = try self.ledger.append([LedgerUnderTest.entry("c")])
        _ = try Ledger(LedgerAppendScene.files(self.folder)).append([LedgerUnderTest.entry("d")])
        #expect(try LedgerAppendScene.paths(self.folder) == stored + ["c", "d"], FaultLoop.now)
        #expect(try self.folder.names() == [LedgerUnderTest.head, LedgerUnderTest.name], FaultLoop.now)
    }
}
