/* A websocket that comes back by itself. `closed` is called whenever it is lost, so that one asks in other ways meanwhile. */

const FIRST_DELAY = 500;
const LONGEST_DELAY = 10000;
const NOT_ALLOWED = 4403;

export function listen(path, { opened, closed, said }) {
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
  let delay = FIRST_DELAY;
  let stopped = false;
  let socket;
  let timer;

  function connect() {
    socket = new WebSocket(address);
    socket.onopen = () => {
      delay = FIRST_DELAY;
      opened();
    };
    socket.onmessage = (event) => said(JSON.parse(event.data));
    socket.onclose = (event) => {
      if (stopped) return;
      if (event.code === NOT_ALLOWED) return location.reload(); // the page says what happened to the right
      closed();
      timer = setTimeout(connect, delay * (0.75 + Math.random() / 2));
      delay = Math.min(delay * 2, LONGEST_DELAY);
    };
  }

  addEventListener("online", () => {
    if (stopped || socket.readyState <= WebSocket.OPEN) return;
    clearTimeout(timer);
    connect();
  });
  connect();
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    close() {
      stopped = true;
      clearTimeout(timer);
      socket.close();
    },
  };
}
