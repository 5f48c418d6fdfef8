module vault-ha.example/whoami

go 1.26
