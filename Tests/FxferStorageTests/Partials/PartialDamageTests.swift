import FxferProtocol
import Glibc
import NIOCore
import Testing

@testable import FxferStorage

@Suite("A partial that is not what it was")
struct PartialDamageTests {
    typealias Sample = PartialSample
    let subject: DirectoryUnderTest
    var folder: TemporaryFolder { self.subject.folder }

    init() async throws {
        self.subject = try await DirectoryUnderTest()
        try await self.subject.leave(upTo: 8 * Sample.chunk)
    }

    @Test("is gone on with before the chunk in which a byte was altered", arguments: [1, 4, 7], [0, 1, 99_999])
    func altered(chunk: Int, offset: Int) async throws {
        try self.folder.flip(at: chunk * Sample.chunk + offset, in: Sample.part)
        try await self.subject.expectResumption(at: chunk * Sample.chunk)
    }

    @Test("is begun anew where its first chunk was altered or all of it is gone", arguments: [true, false])
    func worthless(isAltered: Bool) async throws {
        if isAltered {
            try self.folder.flip(at: 0, in: Sample.part)
        } else {
            try self.folder.cut(Sample.part, to: 0)
        }
        try await self.subject.expectNewBeginning()
    }

    @Test(
        "is gone on with at the last chunk that is whole where it was cut",
        arguments: [(800_000, 8), (799_999, 7), (700_000, 7), (100_001, 1)]
    )
    func truncated(size: Int, chunks: Int) async throws {
        try self.folder.cut(Sample.part, to: size)
        try await self.subject.expectResumption(at: chunks * Sample.chunk)
    }

    @Test("loses what follows on the last verified chunk, and what is beyond the offered size")
    func longer() async throws {
        try self.folder.append([UInt8](repeating: 7, count: 3_000_000), to: Sample.part)
        try await self.subject.expectResumption(at: 8 * Sample.chunk)
    }

    @Test("offers no more than a source has that became shorter")
    func shorterSource() async throws {
        let file = try await self.subject.resume()
        try await self.subject.send(upTo: 11 * Sample.chunk, to: file)
        await file.discard(keepingPartial: true)
        let size = 10 * Sample.chunk + 50_000
        let staging = try await self.subject.store.stage(
            Sample.path,
            FileAttributes(size: UInt64(size)),
            .byDigest
        )
        guard case .partial(let rest) = staging else { throw UnexpectedStaging() }
        #expect(rest.position == UInt64(10 * Sample.chunk))
        try await rest.append(ByteBuffer(bytes: Sample.content[(10 * Sample.chunk)..<size]))
        #expect(try await rest.publish().outcome == .stored)
        #expect(try self.subject.content(at: Sample.path) == Array(Sample.content[..<size]))
        #expect(try self.subject.partialFiles() == [])
    }

    @Test("is taken for what its journal's whole records say where the last is torn", arguments: [1, 20, 39])
    func torn(missing: Int) async throws {
        let size = try self.folder.bytes(of: Sample.journal).count
        try self.folder.cut(Sample.journal, to: size - missing)
        try await self.subject.expectResumption(at: 7 * Sample.chunk)
    }

    @Test("is gone on with behind a record that is damaged, by the next one that is not")
    func damagedRecord() async throws {
        try self.folder.flip(at: Sample.headerSize + 3 * PartialRecord.byteCount + 20, in: Sample.journal)
        try await self.subject.expectResumption(at: 8 * Sample.chunk)
    }

    @Test("ends before records that do not grow or make no sense", arguments: [0, 300_000, UInt64.max])
    func records(length: UInt64) async throws {
        let record = PartialRecord(length: length, digest: sha256(Sample.content[..<300_000]))
        try self.folder.append(Array(record.encoded.readableBytesView), to: Sample.journal)
        try self.folder.append([UInt8](repeating: 0xFF, count: 4000), to: Sample.journal)
        try await self.subject.expectResumption(at: 8 * Sample.chunk)
    }

    @Test("is begun anew where the journal's header is damaged, cut off or missing", arguments: 0...6)
    func header(damage: Int) async throws {
        switch damage {
        case 0...3:
            try self.folder.flip(at: damage * (Sample.headerSize - 1) / 3, in: Sample.journal)
        case 4: try self.folder.cut(Sample.journal, to: Sample.headerSize - 1)
        case 5: try self.folder.cut(Sample.journal, to: 0)
        default: try self.folder.remove(Sample.journal)
        }
        try await self.subject.expectNewBeginning()
        #expect(try self.subject.partialFiles() == [])
    }

    @Test("is not gone on with for another path, whatever it is called")
    func otherPath() async throws {
        let other = PartialName(for: try path("other"), prefix: [])
        let journal = try #require(other.journal)
        try self.folder.rename(
            Sample.part,
            to: ".fxfer/partials/" + String(decoding: other.content.bytes, as: UTF8.self)
        )
        try self.folder.rename(Sample.journal, to: ".fxfer/partials/" + String(decoding: journal.bytes, as: UTF8.self))
        let file = try await self.subject.beginFresh(path("other"))
        #expect(file.position == 0)
        await file.discard(keepingPartial: true)
        #expect(try self.subject.partialFiles() == [])
        #expect(try self.subject.published() == [])
    }

    static let victim = testBytes(200_000, seed: 3)

    enum Planted: CaseIterable {
        case link, danglingLink, pipe, folder, hardLink
    }

    @Test("is nothing to write to or wait for where it is no file", arguments: Planted.allCases, [true, false])
    func planted(planted: Planted, isJournal: Bool) async throws {
        let name = isJournal ? Sample.journal : Sample.part
        try self.folder.remove(name)
        try self.folder.write(Self.victim, to: "victim")
        switch planted {
        case .link: try self.folder.link(name, to: "../../victim")
        case .danglingLink: try self.folder.link(name, to: "../../new")
        case .pipe: try self.folder.makePipe(name)
        case .folder: try self.folder.makeFolder(name)
        case .hardLink: try once { link(self.folder("victim"), self.folder(name)) }
        }
        let file = try await self.subject.beginFresh()
        try await self.subject.send(to: file)
        #expect(try await file.publish().outcome == .stored)
        #expect(try self.subject.content(at: Sample.path) == Sample.content)
        #expect(try self.folder.bytes(of: "victim") == Self.victim)
        #expect(try self.folder.names() == [".fxfer", "a", "victim"])
        _ = try await DirectoryStore.partials(in: Array(self.folder.path.utf8))
        _ = try await self.subject.store.expirePartials()
        #expect(try self.folder.bytes(of: "victim") == Self.victim)
    }
}
