import { changePassword, useLogin } from "../login/login.ts";
import { Card, Field, Form } from "../parts/parts.tsx";

export function PasswordView() {
  const { person } = useLogin();
  return (
    <Card title="Change the password">
      <p>All sessions end, on every device. This browser goes on with a new one.</p>
      <Form
        submit="Change the password"
        done="The password is changed, and the other sessions are ended."
        send={({ currentPassword = "", newPassword = "" }) => changePassword(currentPassword, newPassword)}
      >
        {(refused) => (
          <>
            <input name="username" autocomplete="username" value={person?.name} readOnly hidden />
            <Field name="currentPassword" label="Password now" autocomplete="current-password" refused={refused} />
            <Field
              name="newPassword"
              label="New password"
              autocomplete="new-password"
              hint="At least 8 characters, and not one that is guessed first."
              refused={refused}
            />
          </>
        )}
      </Form>
    </Card>
  );
}
