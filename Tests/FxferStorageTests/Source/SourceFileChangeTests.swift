import FxferProtocol
import Glibc
import Testing

@testable import FxferStorage

@Suite("A source that is changed while it is sent")
struct SourceFileChangeTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
        try self.folder.write(testBytes(1000), to: "x")
    }

    private func open() async throws -> SourceFile {
        try await SourceFile.open(path: Array(self.folder("x").utf8))
    }

    /// What another program does to the file.
    enum Change: CaseIterable {
        case grown, shrunk, rewritten, rewrittenAtItsTime, removed, replaced

        func apply(in folder: TemporaryFolder) throws {
            switch self {
            case .grown: try folder.append(testBytes(1), to: "x")
            case .shrunk: try once { truncate(folder("x"), 999) }
            case .rewritten: try folder.overwrite(testBytes(1000, seed: 2), in: "x")
            case .rewrittenAtItsTime:
                let modified = try folder.status(of: "x")?.stamp.modified
                try folder.overwrite(testBytes(1000, seed: 2), in: "x")
                let file = try OwnedDescriptor.open(CPath(folder("x")), O_WRONLY)
                if let modified { try file.setModified(modified) }
            case .removed: try folder.remove("x")
            case .replaced:
                try folder.write(testBytes(1000), to: "y")
                try folder.rename("y", to: "x")
            }
        }
    }

    @Test("every change after the opening is noticed", arguments: Change.allCases)
    func change(_ change: Change) async throws {
        let source = try await self.open()
        try change.apply(in: self.folder)
        #expect(await failureCode { try await source.checkUnchanged() } == .sourceChanged)
    }

    @Test("a file written just before it is opened and right after is noticed, every time")
    func sameTick() async throws {
        for round in 0..<30 {
            try self.folder.overwrite(testBytes(1000, seed: UInt64(round)), in: "x")
            let source = try await self.open()
            try self.folder.overwrite(testBytes(1000, seed: UInt64(round) + 7), in: "x")
            #expect(await failureCode { try await source.checkUnchanged() } == .sourceChanged)
        }
    }

    @Test("a file that became shorter cannot be read to its announced end")
    func shrunk() async throws {
        let source = try await self.open()
        _ = try await source.read(at: 0, count: 500)
        try once { truncate(self.folder("x"), 700) }
        #expect(await failureCode { _ = try await source.read(at: 500, count: 500) } == .sourceChanged)
    }

    @Test("reading alone is no change")
    func unchanged() async throws {
        let source = try await self.open()
        _ = try await source.read(at: 0, count: 1000)
        _ = try self.folder.bytes(of: "x")
        try await source.checkUnchanged()
    }
}
