import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

/// Stored files that are verified while calls fail.
struct VerificationScene: FaultScene {
    private static let names = ["a/1", "a/2", "3"]
    private static let extra = "a/unknown"

    private let subject: DirectoryUnderTest

    init(in folder: TemporaryFolder) async throws {
        self.subject = try await DirectoryUnderTest(in: folder)
        for name in Self.names { _ = try await self.subject.send(testBytes(5000), path(name)) }
        try self.subject.put([1], at: path(Self.extra))
    }

    func run() async throws -> [StoredFinding] {
        let findings = Findings()
        let directory = try StoredDirectory(at: Array(self.subject.folder.path.utf8))
        let extent = try await Verification(directory, Verification.Scope(), lanes: 1).run { findings.add($0) }
        #expect(extent.files == Self.names.count, FaultLoop.now)
        return findings.all
    }

    func check(_ result: Result<[StoredFinding], any Error>, _ plan: FaultPlan) async throws {
        let whole = [StoredFinding.unknown(Array(Self.extra.utf8), reason: nil)]
        if case .success(let findings) = result {
            let isUndisturbed = plan.calls.allSatisfy { call in
                guard case .failure(let error)? = call.fault else { return true }
                return error.number == EINTR && [.pread, .open, .flock].contains(call.call)
            }
            if isUndisturbed { #expect(findings == whole, FaultLoop.now) }
            // What could not be read is told as that, never as changed or missing, and never passed over.
            for finding in findings where !whole.contains(finding) {
                guard case .unreadable = finding else {
                    Issue.record("\(finding)")
                    continue
                }
            }
            #expect(!findings.isEmpty, FaultLoop.now)
        }
        #expect(try await self.run() == whole, FaultLoop.now)
    }
}

/// A tree that is read to be sent while calls fail.
struct SourceScene: FaultScene {
    private static let small = testBytes(5000)
    private static let large = testBytes(300_000)

    private let folder: TemporaryFolder

    init(in folder: TemporaryFolder) throws {
        self.folder = folder
        try folder.makeFolder("r")
        try folder.makeFolder("r/d")
        try folder.write(Self.small, to: "r/d/small")
        try folder.write(Self.large, to: "r/large")
    }

    /// What was read, each with its digest; and how many entries there were that could not be.
    struct Read {
        var files: [String: Digest] = [:]
        var folders: Set<String> = []
        var failures = 0
    }

    func run() async throws -> Read {
        var read = Read()
        for entry in try await self.folder.entries(of: "r", as: "r") {
            switch entry.content {
            case .loaded(let file, let path): read.files[path.description] = file.digest
            case .file(let file, let path):
                do {
                    read.files[path.description] = try await file.hashPrefix(file.size)
                    try await file.checkUnchanged()
                } catch {
                    #expect((error as? FxferError)?.code == .io, FaultLoop.now)
                    read.files[path.description] = nil
                    read.failures += 1
                }
            case .folder(_, let path): read.folders.insert(path.description)
            case .skipped(let reason): Issue.record("\(reason)")
            case .failed: read.failures += 1
            }
        }
        return read
    }

    func check(_ result: Result<Read, any Error>, _ plan: FaultPlan) async throws {
        let read = try result.get()
        let expected = ["r/d/small": sha256(Self.small), "r/large": sha256(Self.large)]
        for (path, digest) in read.files { #expect(expected[path] == digest, FaultLoop.now) }
        let isWhole = read.files.count == 2 && read.folders == ["r", "r/d"]
        // Nothing is passed over in silence.
        #expect(isWhole || read.failures > 0, FaultLoop.now)
    }
}
