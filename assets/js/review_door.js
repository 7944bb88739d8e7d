// Signing in: a name, a password where one is set, and a project where there are several.

function reviewDoor(form, { onEnter }) {
  const field = (name) => form.elements[name], problem = form.querySelector(".rv-problem");
  field("project").value = new URLSearchParams(location.search).get("project") ?? "";

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    say("");
    try {
      await api("sign-in", { body: { project: field("project").value.trim(), name: field("name").value.trim(), password: field("password").value } });
      field("password").value = "";
      await onEnter();
    } catch (error) {
      say(error.message);
    } finally {
      button.disabled = false;
    }
  });

  function say(text) {
    setText(problem, text);
    problem.hidden = !text;
  }

  return {
    open(why = "") {
      say(why);
      field(field("name").value ? "password" : "name").focus();
    },
  };
}
