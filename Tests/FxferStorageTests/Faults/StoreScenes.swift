import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

/// A directory that is opened while calls fail: a new one, or one in which a killed server has left files.
struct OpeningScene: FaultScene {
    private typealias Sample = PartialSample
    private static let leftover = ".fxfer/partials/" + String(repeating: "0", count: 32) + ".tmp"
    private static let states = ".fxfer/states/" + String(repeating: "0", count: 32) + ".tmp"
    private static let orphan = ".fxfer/partials/" + String(repeating: "0", count: 32) + ".journal"

    private let folder: TemporaryFolder
    private let place: String
    private let isNew: Bool

    init(in folder: TemporaryFolder, isNew: Bool) async throws {
        self.folder = folder
        self.isNew = isNew
        self.place = folder("out")
        guard !isNew else { return }
        let store = try await Self.open(self.place)
        let subject = Subject(store: store)
        try await subject.leave(upTo: 9 * Sample.chunk)
        for name in [Self.leftover, Self.states, Self.orphan] { try folder.write([1], to: "out/\(name)") }
    }

    private struct Subject: StoreUnderTest {
        let store: DirectoryStore

        func content(at path: RelativePath) -> [UInt8]? { nil }
        func published() -> [[UInt8]] { [] }
        func stagedCount() -> Int { 0 }
        func put(_ bytes: [UInt8], at path: RelativePath) {}
        func remove(_ path: RelativePath) {}
    }

    private static func open(_ place: String) async throws -> DirectoryStore {
        try await DirectoryStore.open(path: Array(place.utf8), options: .patient)
    }

    func run() async throws {
        _ = try await Self.open(self.place)
    }

    func check(_ result: Result<Void, any Error>, _ plan: FaultPlan) async throws {
        let store = try await Self.open(self.place)
        let left = try self.folder.names(in: "out/.fxfer/partials").map { ".fxfer/partials/\($0)" }
        if self.isNew {
            #expect(left == [], FaultLoop.now)
        } else {
            // What is good of an unfinished file is never taken for garbage, and all else is swept some time.
            #expect(left == [Sample.part, Sample.journal].sorted(), FaultLoop.now)
            guard case .partial(let file) = try await Subject(store: store).begin() else { throw UnexpectedStaging() }
            #expect(file.position == UInt64(9 * Sample.chunk), FaultLoop.now)
            await file.discard(keepingPartial: false)
        }
        #expect(try self.folder.names(in: "out/.fxfer/states") == [], FaultLoop.now)
        #expect(
            try self.folder.names(in: "out/.fxfer") == ["ledger.head", "ledger.jsonl", "partials", "states"],
            FaultLoop.now
        )
        #expect(try self.folder.names(in: "out") == [".fxfer"], FaultLoop.now)
    }
}

/// The states of a hash that are kept, and read, while calls fail.
struct StatesScene: FaultScene {
    private let folder: TemporaryFolder
    private let kept: StatesFolder
    private let states: HashStates
    private let digest: Digest

    init(in folder: TemporaryFolder) throws {
        self.folder = folder
        self.kept = StatesFolder(try folder.open())
        var hash = SteppedHash(HashStates(interval: 64))
        hash.update(ByteBuffer(bytes: testBytes(1000)))
        self.states = hash.states
        self.digest = hash.digest()
    }

    func run() async throws -> [HashState]? {
        self.kept.save(self.states, for: self.digest, size: 1000)
        return self.kept.load(for: self.digest, size: 1000)?.states
    }

    func check(_ result: Result<[HashState]?, any Error>, _ plan: FaultPlan) async throws {
        let read = try result.get()
        #expect(read == nil || read == self.states.states, FaultLoop.now)
        let there = self.kept.load(for: self.digest, size: 1000)?.states
        #expect(there == nil || there == self.states.states, FaultLoop.now)
        self.kept.sweep()
        #expect(try self.folder.names() == (there == nil ? [] : [self.digest.hex]), FaultLoop.now)
    }
}

/// A partial that expires while calls fail.
struct ExpiryScene: FaultScene {
    private typealias Sample = PartialSample
    private let subject: DirectoryUnderTest

    init(in folder: TemporaryFolder) async throws {
        self.subject = try await DirectoryUnderTest(in: folder)
        for name in ["a", "b"] { try await self.subject.leave(upTo: 9 * Sample.chunk, of: path(name)) }
        let old = PartialName(for: try path("a"), prefix: []).journal
        let name = String(decoding: try #require(old).bytes, as: UTF8.self)
        try folder.age(".fxfer/partials/\(name)", by: 25 * 60 * 60)
    }

    func run() async throws -> Int {
        try await self.subject.store.expirePartials()
    }

    func check(_ result: Result<Int, any Error>, _ plan: FaultPlan) async throws {
        let again = try await DirectoryUnderTest(in: self.subject.folder)
        // Whatever could not be looked at: the one is good, the other goes in the end.
        let good = PartialName(for: try path("b"), prefix: [])
        let names = [good.content, try #require(good.journal)].map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(try again.folder.names(in: ".fxfer/partials") == names.sorted(), FaultLoop.now)
    }
}
