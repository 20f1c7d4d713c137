/**
 * Files made by bzip2 1.0.8 (Python's bz2), small enough to keep as text. What is in them is made again by rule, so
 * that it can be compared.
 */
export const bzipped = {
  /** Rows of a table. */
  table: {
    plain: Buffer.from(
      Array.from({ length: 600 }, (_, row) => `${row},K3PD-7QXZ,${row * 37}.00\r\n`).join(''),
    ),
    bytes: sample(
      'QlpoMTFBWSZTWa8RRoEACDReAAASAAd/4AQIYFBgDj9wAAAB767iACbFTFlMWlWWqYhENmCQwoGmhkZMQoGmhkZM',
      'QqnmRn6pSpQ00Yqp/6GhkqoYhip+mFJoAAaZAJqlBk0IAZgwEgBmDAfgAZgwBvN93z9fv+Hd3d3dxoAPNEAW2AUc',
      'AeEAdCQSDoQB4cAUbALaADrQkFtgFHAHhAHQkEg6EAeHAFGwC2gAloOhbYBRwB4QB0JBIOhAHhwBRsAtoAIA8OAK',
      'NgFtABbWwC2wCjgDwgDoSCQdCAPDgCjYBbQAU04AtsAo4A8IA6EgkHQgDw4/rWtfv2v2tXzetxeUxltgFHAHhAHQ',
      'kEg6EAeHAFGwC2gAppwBbYBRwB4QB0JBIOhAHhwBRsAtoAPNEAW2AUcAeEAdCQSDoQB4cAUbALaADrQkFtgFHAHh',
      'AHQkEg6EAeHAFGwC2gAloOhbYBRwB4QB0JBIOhAHhwBRsAtoAIA8OAKNgFtABeta/ftfta/16cm6gYdCQSDoRERb',
      'YBRwH+75rt5TGLbAKOAPCAOhIRER/Wta/ftfta3frpMO9je9+7MzMGquoAAcO93Tkwa0gM1dZUBQpRvKuUY2sUXL',
      'qxsBRRQuTm6YAhaQhMbIGKq0UdSiSMmq2Iu4CgziRR1TNCcqtq59YJKeYinVXIckm7qIt1dyH1RWzU3kbCq7e97l',
      'WDwgDoSEREfzM1mZmZmLbDtx7l9qxRsAtoBoNAC2wiIiN1mMmIzPT/Nc+5r249zXdxfNBcgsVkPqsh/JlyZUEzxU',
      '1Wwn9tONCLAkSUQ5RYliXIRcogEtu5M05zL2p1liCIBIcoh0gC6ZOnL8hBfEBfvVWOb97KWsutw9LSH1ALyFPrtT',
      'w4CdBchBfkJNXkVbns9lRoC5BSrIfFpD+TLUyoJlIQRYEhzE1VUPZfXWjCixLE4Qi5RAJYumToIgVtTNDdvbrRZR',
      'GJAF0ydOXlCC+IBcmXW4fysj3dFWPZN9T6AtQx6dteHAToK0IL6hJfkAuQXKyN923Qf2X1TuEPqZUmWhMpCCLAkO',
      'UQ5RYlompmt299NeRCOFEAli6ZOgiASHKIdICO2/Xe/vvgUcAeEBERBoA+zM1mZk3ztZXbwkEg6EAeHAkliQSVKq',
      'rDFO28bN98DYkSY9QnY96OhlduH1WQ/kAuQp+dqU0817LfvU/gFiClCC+ISX5AK0Fqsh/KyH5MuTF5ma9l96aPmW',
      'BBEEIosiq96ara3c9TYfEIohGoy3Lt3jauHHAjXHXGhmOMSON4cvb7WqjF3Kjp6llLx4yDAiamqntutoI6WRRaMK',
      'lEpZatD0iB6BcR1Rw0JdvU8vr2IjXBGmEYkIdMcY4anjru3L0jZilGhA+Fa3rm+Xn0/eq9M+zMFtgFHAiIgbALaD',
      'Ub352lWo4A8IA6EgkHQiIjFdrx2VX+jf2/3N83qBJVJI0s1D1DIh1FjR1x1ww4o9yNl7Lq9TnDzq5Wnj1LqXPM9H',
      'bU+yjZgHQQiiyhVsVkPk7elpKIRRC1XUbsPs7Zhd5WNHXG3CHGOMTUG6va6neUOMFxo4bcK448ZDqaicuY2rkEQU',
      'WRRGGpnHVxGVJwhFEI8l0LPL3r86qPTSPUp1YdlZKc8efn3f+61r9+1+1r+R6qtrPv4P5mZmazMzAtsIiIDgCjYR',
      '7bvlWW0AaGgBbYBRwIiI3ilxkZ3vu7bilfxacMgwCFCmoo679NYWsosijhi5s7M6bsaPQOiDUaOHXDvpdHgpqncj',
      'Mg7EnjbrZXHj1efoji+xHqnywycBgEIoiJVzWOs2aJ0siiEUd1ZOa63Zonko8sPG7hXDHGONGru1My1dDhUxjjhg',
      'Vw7jh0U9VOuvRtIHQQiiyKO6snEcy9sWdIRR9A6Iyuubtbw7kkktXkklzbbfm25mZQQB4cL5Fz6bWdCAPDgCjYBb',
      'QJmZ7zMnObzMuubbm+X9DGmGYkcOm8ra2B2PcpxwI1Q7jQwfCvGJVTQ9l9V2dLIosip15nRu3tWLOkIwoyo4cFa6',
      'nXeeVnZPQgVCMSMCmOMcOTns4L131zazyo6ZBgEIoxNPNbt76bFnxaBA9Ai26Nt42c9gqIxxwwK4dxw4iTVc9yee',
      'S40EbMcYwIO46470mTz3OZwDPB63rm+b/c3yfleq/vufAUbALaD6ZmczMzJB0IVvtKso4A8IA6EgkHQhMym/Tldz',
      '2Zavt733dlum7xtB9WLjip1Do3xzb7WpzuO8cKden00eNjL5aUADKVI7uFKACOns3e7eLzOsDXWVtRvR1PNXYz3b',
      't1sSs2vT4CaKNpXT2EAIpKkldLVNjpOceKQnj3K8Oc55yvuem/vu53vqvzLZAHhwBRsT9MzmZmZnQkEz7T1LoaNA',
      'C2wCjgDwgIiIV3LruZXc7c+7wAiSkdqNKVAAJZaKqEV6eZzjh111RE0eO10u56qedh0vq8Io8drJVz6QBu2duRlX',
      'taAOHTltJ7Iung40sVZUd0Ojeb2T0acrpNpZXp8Imij5TbvbAFbV7ftmsqcPGHvunZ+gAzBgJ9ebkfO92xu7uzu7',
      'rgeHCZ/kzmZmZmeEA5259F+qzw4Ao2AW0BoGgiIjsKb85q3GXX6h3G0+Z1OuPpVW6e1np8BE1e3s3qPkABSWK1Np',
      'H3CXnWdL6nQmj1qYtqemLfXpZ5+EnrU20fheAApLFcHdxWgBwuctp5BxvR05jeUqjnFG84wex7L6s1nFXp9E0XZe',
      '52WgAHyWXO8mkUkqSRIOhCZn6czMzMzKOA3NR2lesgDoSCQdCAPDhMplRLst48vhIuX2lLnxLw50cq3ai9jq55qf',
      'Iy8zqvWdr0+AiaKtK01bAAgtu27bVyLfXpZ504k8Xt5zh5WR1XrPFsSet7fNevz8ABBbdopY7YAIeW2Wcb0PqzPT',
      'ex0LzxNdWT2ex67pz03O9AcfYAZgwBADMGAgAMwYDAAzBgP8AGYMB+ABmDAf8XckU4UJCvEUaBA=',
    ),
  },
  /** Long runs, over more than one block of level 1. */
  runs: {
    plain: Buffer.concat([
      Buffer.alloc(8_000_000, 'a'),
      Buffer.from('b'.repeat(4) + 'c'.repeat(5) + 'd'.repeat(259) + 'e'),
    ]),
    bytes: sample(
      'QlpoMTFBWSZTWbD5lL4ADQSBAKAAAAggACCkCDSoKjEqCo5igrJMprOb5XTaACxygoHAAHwAAIAAEEAAoQZMQFKp',
      'k09JvnO1ShTMCSQcu8syzureBUKa/F3JFOFCQrAGTEA=',
    ),
  },
  /** Every byte value, several times. */
  bytes: {
    plain: Buffer.from(Array.from({ length: 2048 }, (_, index) => (index * 7) % 256)),
    bytes: sample(
      'QlpoNTFBWSZTWYBE1U4AAAP/////////////////////////////////////////////wAK8AAAJMABMAATAAAAA',
      'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABJgAJgACYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAJMABMAATAA',
      'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKqqgATABGAAmAAAAAAJgAATAAAAAAAACYAAAAAAAAAAEwAAAAGIE',
      'AIEQQ+4/A/I/Qhohwh4iA/gRERIRMRQRURYRcRgRkRoRsfyP6EcEdEeEfEgEhEiEjEkElEmEnEoH9iUiVCViWCWi',
      'XCXiYCYiZCZiaCaibCbicCcidCdieCeifCfigCgihChiiCiijCjikCkilClimCminCnj/BUBURUhUxVBVRVhVxWB',
      'WRWhWxXBXRXhXxYBYR/osQsYsgsosws4tAtItQtYtgtotwt4uAuIuQuYuguouwu4vAvIvQvYvgvovwv4wAwIwQwY',
      'wgwowww4xAxIxQxYxgxoxwx4yAyIyQyYygyo/4ZYZcZgZkZoZsZwZ0Z4Z8aAaEaIaMaQaUaYacagakaoasawa0a4',
      'a8bAbEbIbMbQbUbYbcbgbkbobsbwb0b4b8cAcEcIcMcQcUcYcccgckcocscwc0c4c8dAdEdIdMdQdUdYdcf+OwOy',
      'O0O2O4O6O8O+PAPCPEPGPIPKPMPOPQPSPUPWPYPaPcPePgPiPkPmPoPqPsIAQIgh9x+B+R+h+xdyRThQkIBE1U4=',
    ),
  },
  /** Nothing at all. */
  nothing: {
    plain: Buffer.alloc(0),
    bytes: sample('QlpoORdyRThQkAAAAAA='),
  },
};

function sample(...base64: string[]): Buffer {
  return Buffer.from(base64.join(''), 'base64');
}
