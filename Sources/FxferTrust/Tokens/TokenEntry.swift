extension TokenList {
    /// A token, whose it is and what it allows: a line of a token file.
    public struct Entry: Hashable, Sendable {
        /// By which logs know the client; `token` where the file gives no name.
        public let name: String
        /// The secret.
        public let token: Token
        /// What whoever proves to have it may do.
        public let rights: AccessRights

        /// The name of a token without a name.
        static let defaultName = "token"
        private static let nameSizes = 1...64
        private static let nameMarks = Array("._@-".utf8)

        package init(name: String = Self.defaultName, token: Token, rights: AccessRights = .all) {
            self.name = name
            self.token = token
            self.rights = rights
        }

        /// Whether a token file can have this name: 1 to 64 ASCII letters, digits and `._@-`.
        public static func isName(_ name: String) -> Bool {
            self.isName(name.utf8)
        }

        private static func isName(_ name: some Collection<UInt8>) -> Bool {
            self.nameSizes.contains(name.count)
                && name.allSatisfy { character in
                    switch character {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"):
                        true
                    default: Self.nameMarks.contains(character)
                    }
                }
        }

        /// Reads `TOKEN`, `NAME:TOKEN` or `NAME:TOKEN:RIGHTS`.
        init(line: some Collection<UInt8>) throws(TokenLineFailure) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count <= 3 else { throw .tooManyFields }
            var name = Self.defaultName
            if fields.count > 1 {
                guard Self.isName(fields[0]) else { throw .badName }
                name = String(decoding: fields[0], as: UTF8.self)
            }
            guard let token = Token(fields[fields.count > 1 ? 1 : 0]) else { throw .badToken }
            var rights = AccessRights.all
            if fields.count > 2 {
                guard let named = AccessRights(names: String(decoding: fields[2], as: UTF8.self)) else {
                    throw .badRights
                }
                rights = named
            }
            self.init(name: name, token: token, rights: rights)
        }
    }
}
