/// A path or a name as system calls take it: its bytes and a zero.
///
/// A zero among the bytes would cut the path there: where bytes come from outside, they are checked first
/// (`RelativePath` refuses control bytes; the paths of ``DirectoryStore`` and ``SourceFile`` are checked by these).
package struct CPath: Hashable, Sendable {
    package let characters: [CChar]

    package init(_ bytes: some Collection<UInt8>) {
        var characters = [CChar]()
        characters.reserveCapacity(bytes.count + 1)
        characters.append(contentsOf: bytes.lazy.map { CChar(bitPattern: $0) })
        characters.append(0)
        self.characters = characters
    }

    package init(_ text: String) {
        self.init(text.utf8)
    }

    /// The folder itself, `.`
    package static let itself = CPath(".")

    /// The bytes without the zero.
    package var bytes: [UInt8] { self.characters.dropLast().map { UInt8(bitPattern: $0) } }
}
