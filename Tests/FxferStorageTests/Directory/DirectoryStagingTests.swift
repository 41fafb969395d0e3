import FxferProtocol
import Testing

@testable import FxferStorage

@Suite("Offered to a directory, a file whose name is taken")
struct DirectoryStagingTests {
    enum Answer: Hashable {
        case fresh, existing, existingOrFresh, unchanged, taken, other
    }

    /// What the store says to `size` bytes of `modified` where 100 bytes of second 5 are.
    static func answer(
        _ conflict: ConflictPolicy,
        _ comparison: Comparison,
        size: UInt64,
        _ modified: FileTime = FileTime(seconds: 5, nanoseconds: 6)
    ) async throws -> Answer {
        let subject = try await DirectoryConflictTests.subject(conflict)
        try subject.put(testBytes(100), at: path("a"))
        try subject.folder.open().openBeneath(CPath("a"), 0).setModified(FileTime(seconds: 5, nanoseconds: 6))
        let attributes = FileAttributes(size: size, modified: modified)
        defer { #expect((try? subject.content(at: path("a"))) == testBytes(100)) }
        do {
            switch try await subject.store.stage(path("a"), attributes, comparison) {
            case .fresh: return .fresh
            case .existing(let file, let otherwise, _):
                #expect(file.digest == sha256(testBytes(100)))
                return otherwise == nil ? .existing : .existingOrFresh
            case .unchanged: return .unchanged
            case .partial: return .other
            }
        } catch let error as FxferError where error.code == .exists {
            return .taken
        }
    }

    @Test("is compared by digest where it has the same size")
    func byDigest() async throws {
        #expect(try await Self.answer(.refuse, .byDigest, size: 100) == .existing)
        #expect(try await Self.answer(.replace, .byDigest, size: 100) == .existingOrFresh)
        #expect(try await Self.answer(.keepBoth, .byDigest, size: 100) == .existingOrFresh)
    }

    @Test("is received where it has another size, or refused", arguments: [Comparison.byDigest, .afterwards])
    func otherSize(comparison: Comparison) async throws {
        #expect(try await Self.answer(.refuse, comparison, size: 99) == .taken)
        #expect(try await Self.answer(.replace, comparison, size: 99) == .fresh)
        #expect(try await Self.answer(.keepBoth, comparison, size: 99) == .fresh)
    }

    @Test("is received where it is to be compared afterwards")
    func afterwards() async throws {
        #expect(try await Self.answer(.refuse, .afterwards, size: 100) == .fresh)
        #expect(try await Self.answer(.replace, .afterwards, size: 100) == .fresh)
    }

    @Test("is unchanged where size and time are equal to the nanosecond")
    func unchanged() async throws {
        #expect(try await Self.answer(.refuse, .bySizeAndTime, size: 100) == .unchanged)
        #expect(try await Self.answer(.replace, .bySizeAndTime, size: 100) == .unchanged)
        let later = FileTime(seconds: 5, nanoseconds: 7)
        #expect(try await Self.answer(.refuse, .bySizeAndTime, size: 100, later) == .existing)
        #expect(try await Self.answer(.replace, .bySizeAndTime, size: 99) == .fresh)
    }
}
