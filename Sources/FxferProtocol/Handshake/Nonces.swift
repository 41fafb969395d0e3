/// The random numbers that both sides chose for a connection: what makes a proof good for this connection only.
package struct Nonces: Hashable, Sendable {
    package let client: Nonce
    package let server: Nonce

    package init(client: Nonce, server: Nonce) {
        self.client = client
        self.server = server
    }
}
