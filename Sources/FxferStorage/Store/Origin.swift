/// Who sent a file, as far as the connection tells.
package struct Origin: Hashable, Sendable {
    /// The IP address of the client.
    package var address: String?
    /// The name of the token that it proved to have.
    package var token: String?

    package init(address: String? = nil, token: String? = nil) {
        self.address = address
        self.token = token
    }
}
