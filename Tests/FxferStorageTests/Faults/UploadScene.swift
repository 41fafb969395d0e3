import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

/// A file that is received while calls fail.
struct UploadScene: FaultScene {
    /// How it is received.
    enum Kind: CaseIterable {
        /// In memory first; then a file without a name, or one below `.fxfer/partials`.
        case memory, memoryWithNames
        /// On disk at once: of a size that is not worth going on with, and of one that is, so that there is a journal.
        case disk, journal
        /// The same, after an earlier try.
        case resumed
        /// Another file has the name.
        case replacing, replacingFromDisk, keepingBoth
        /// A file with the same content has the name, and nobody has written it down yet.
        case identical
        /// The file that has the name has decayed.
        case repairing, repairingFromDisk
    }

    private typealias Sample = PartialSample
    private static let small = testBytes(3000)
    private static let old = testBytes(3000, seed: 2)
    private static let path = Sample.path

    private let kind: Kind
    private let subject: DirectoryUnderTest
    /// The file that has the name before.
    private let old: FileStatus.Identity?

    init(_ kind: Kind, in folder: TemporaryFolder) async throws {
        self.kind = kind
        let subject = try await DirectoryUnderTest(in: folder, options: kind.options)
        self.subject = subject
        switch kind {
        case .memory, .memoryWithNames, .disk, .journal: break
        case .resumed: try await subject.leave(upTo: 9 * Sample.chunk)
        case .replacing, .replacingFromDisk, .keepingBoth:
            try folder.makeFolder("a")
            try subject.put(Self.old, at: Self.path)
        case .identical:
            try folder.makeFolder("a")
            try subject.put(Self.small, at: Self.path)
        case .repairing, .repairingFromDisk:
            _ = try await subject.send(Self.small, Self.path)
            try subject.decay("a/b", at: [7])
        }
        let isFree = try subject.folder.status(of: "a") == nil
        self.old = isFree ? nil : try subject.folder.status(of: "a/b")?.identity
    }

    private var content: [UInt8] { self.kind.isLarge ? Sample.content : Self.small }

    /// What has the name before.
    private var before: [UInt8]? {
        switch self.kind {
        case .memory, .memoryWithNames, .disk, .journal, .resumed: nil
        case .replacing, .replacingFromDisk, .keepingBoth: Self.old
        case .identical: Self.small
        case .repairing, .repairingFromDisk: DecaySample.damaged(at: [7], Self.small)
        }
    }

    private var expectedOutcome: Publication.Outcome {
        switch self.kind {
        case .memory, .memoryWithNames, .disk, .journal, .resumed, .keepingBoth: .stored
        case .replacing, .replacingFromDisk: .replaced
        case .identical: .identical
        case .repairing, .repairingFromDisk: .repaired
        }
    }

    func run() async throws -> Publication {
        try await self.send(to: self.subject)
    }

    private func send(to subject: DirectoryUnderTest) async throws -> Publication {
        switch self.kind {
        case .memory, .replacing, .keepingBoth, .identical, .repairing:
            return try await subject.send(self.content, Self.path)
        case .memoryWithNames:
            let file = try await subject.staged(self.content, Self.path)
            let committer = subject.store.committer
            let partials = Committer(
                tree: committer.tree,
                partials: committer.partials,
                linking: nil,
                records: committer.records,
                media: committer.media
            )
            return try #require(try subject.commit([file], partials).first).get()
        case .disk, .replacingFromDisk, .repairingFromDisk:
            return try await subject.send(self.content, Self.path, in: .disk)
        case .journal, .resumed:
            return try await self.sendInChunks(to: subject)
        }
    }

    /// As a server does: what is verified stays where the connection ends.
    private func sendInChunks(to subject: DirectoryUnderTest) async throws -> Publication {
        let file: DirectoryStagedFile
        switch try await subject.begin() {
        case .fresh(let fresh): file = fresh
        case .partial(let partial):
            #expect(partial.runningDigest() == sha256(Sample.content[..<Int(partial.position)]), FaultLoop.now)
            file = partial
        case .existing(let existing, _, _): return try await existing.confirmDurable()
        default: throw UnexpectedStaging()
        }
        do {
            try await subject.send(to: file)
            return try await file.publish()
        } catch {
            await file.discard(keepingPartial: true)
            throw error
        }
    }

    func check(_ result: Result<Publication, any Error>, _ plan: FaultPlan) async throws {
        switch result {
        case .success(let publication): try self.checkStored(publication, plan)
        case .failure where plan.leavesNamesUnseen: try self.checkWhole()
        case .failure: try self.checkUnchanged()
        }
        // Another server finds what is to be found after a crash, and nothing that is in the way.
        let again = try await DirectoryUnderTest(in: self.subject.folder, options: self.kind.options)
        try self.checkNoLitter(again)
        if case .success = result { return try await again.expectVerified() }
        if self.kind == .identical, let old, plan.failedToFlush(old) {
            try await self.checkGivenUp(again)
            return try await again.expectVerified()
        }
        let publication = try await self.send(to: again)
        let isThere = plan.leavesNamesUnseen && publication.outcome == .identical
        #expect(isThere || publication.outcome == self.expectedOutcome, FaultLoop.now)
        #expect(try again.content(at: publication.path) == self.content, FaultLoop.now)
        #expect(try again.stagedCount() == 0, FaultLoop.now)
        try await again.expectVerified()
    }

    private func checkStored(_ publication: Publication, _ plan: FaultPlan) throws {
        #expect(publication.outcome == self.expectedOutcome, FaultLoop.now)
        #expect(publication.path.description == (self.kind == .keepingBoth ? "a/b.1" : "a/b"), FaultLoop.now)
        #expect(try self.subject.content(at: publication.path) == self.content, FaultLoop.now)
        let file = try #require(try self.subject.folder.status(of: publication.path.description)).identity
        let folder = try #require(try self.subject.folder.status(of: "a")).identity
        let isDurable = self.kind == .identical ? plan.flushed([file, folder]) : plan.madeDurable(file, in: folder)
        #expect(isDurable, FaultLoop.now)
        if self.kind == .keepingBoth { #expect(try self.subject.content(at: Self.path) == Self.old, FaultLoop.now) }
        let content = try StoredDirectory(at: Array(self.subject.folder.path.utf8)).readLedger()
        #expect(content.latest[publication.path]?.digest == sha256(self.content), FaultLoop.now)
        #expect(publication.record != nil, FaultLoop.now)
    }

    /// The file, and one beside it, has the old content or all of the new one.
    private func checkWhole() throws {
        for name in try self.subject.published() {
            let content = try self.subject.content(at: RelativePath(bytes: name))
            #expect([self.before, self.content].contains(content), FaultLoop.now)
        }
    }

    private func checkUnchanged() throws {
        #expect(try self.subject.content(at: Self.path) == self.before, FaultLoop.now)
        if let old { #expect(try self.subject.folder.status(of: "a/b")?.identity == old, FaultLoop.now) }
        #expect(try self.subject.published() == (self.before == nil ? [] : [Self.path.bytes]), FaultLoop.now)
        let content = try StoredDirectory(at: Array(self.subject.folder.path.utf8)).readLedger()
        #expect(content.damages == [], FaultLoop.now)
        let isKnown = self.kind == .repairing || self.kind == .repairingFromDisk
        #expect(content.latest[Self.path]?.digest == (isKnown ? sha256(Self.small) : nil), FaultLoop.now)
    }

    /// A file whose flush has failed is never flushed again; it can be removed and sent anew, and is a good one then.
    private func checkGivenUp(_ subject: DirectoryUnderTest) async throws {
        #expect(await failureCode { _ = try await self.send(to: subject) } == .io, FaultLoop.now)
        #expect(try subject.content(at: Self.path) == self.before, FaultLoop.now)
        try subject.remove(Self.path)
        #expect(try await self.send(to: subject).outcome == .stored, FaultLoop.now)
        #expect(try await self.send(to: subject).outcome == .identical, FaultLoop.now)
    }

    private func checkNoLitter(_ subject: DirectoryUnderTest) throws {
        let kept = self.kind.isLarge ? [Sample.part, Sample.journal] : []
        #expect(try subject.partialFiles().filter { !kept.contains($0) } == [], FaultLoop.now)
        let states = try subject.folder.names(in: ".fxfer/states").filter { $0.count != 64 }
        #expect(states == [], FaultLoop.now)
        #expect(try subject.folder.names(in: ".fxfer").count == 4, FaultLoop.now)
    }
}

extension UploadScene.Kind {
    fileprivate var isLarge: Bool { self == .journal || self == .resumed }

    fileprivate var options: DirectoryStore.Options {
        var options = DirectoryStore.Options.patient
        switch self {
        case .replacing, .replacingFromDisk: options.conflict = .replace
        case .keepingBoth: options.conflict = .keepBoth
        default: break
        }
        return options
    }
}

extension DirectoryUnderTest {
    /// All that the ledger knows is there as it was stored.
    func expectVerified() async throws {
        let directory = try StoredDirectory(at: Array(self.folder.path.utf8))
        var scope = Verification.Scope()
        scope.unknown = .ignore
        let findings = Findings()
        _ = try await Verification(directory, scope).run { findings.add($0) }
        #expect(findings.all == [], FaultLoop.now)
    }
}
